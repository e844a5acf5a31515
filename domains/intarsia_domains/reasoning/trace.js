"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const board = get("board"), at = get("at"), play = get("play"), notes = get("notes");
  const square = data.columns > 0;
  const cells = data.names.map((name, i) => {
    const cell = document.createElement("div"), value = document.createElement("span");
    const row = square ? Math.floor(i / data.columns) : 0, column = square ? i % data.columns : 0;
    cell.className = "cell";
    cell.title = name;
    if (!square) {
      const label = document.createElement("small");
      label.textContent = name;
      cell.append(label);
    } else {
      const [high, wide] = data.box;
      if (wide && (column + 1) % wide === 0) cell.classList.add("right");
      if (high && (row + 1) % high === 0) cell.classList.add("below");
      if (column + 1 === data.columns) cell.classList.add("edge");
      if (row + 1 === data.rows) cell.classList.add("foot");
    }
    cell.append(value);
    board.append(cell);
    return { cell, value };
  });
  if (square) {
    board.classList.add("square");
    board.style.gridTemplateColumns = `repeat(${data.columns}, 1fr)`;
    board.style.fontSize = `clamp(11px, ${Math.round(36 / data.columns)}vw, ${Math.round(220 / data.columns)}px)`;
  }
  const items = data.steps.map((step, i) => {
    const item = document.createElement("li");
    item.textContent = step.note;
    item.addEventListener("click", () => show(i));
    notes.append(item);
    return item;
  });
  notes.start = 0;
  at.max = data.steps.length - 1;
  let now = 0, timer = null;
  const show = (i) => {
    now = Math.max(0, Math.min(data.steps.length - 1, i));
    const step = data.steps[now], focus = new Set(step.focus);
    cells.forEach(({ cell, value }, k) => {
      const state = step.state[k];
      value.textContent = state < 0 ? "" : data.values[state];
      value.style.opacity = step.certainty && state >= 0 ? 0.35 + 0.65 * step.certainty[k] : 1;
      cell.classList.toggle("given", data.steps[0].state[k] >= 0);
      cell.classList.toggle("focus", focus.has(k));
    });
    at.value = now;
    get("note").textContent = `${now} of ${data.steps.length - 1}: ${step.note}`;
    items.forEach((item, k) => item.classList.toggle("now", k === now));
    notes.scrollTop = items[now].offsetTop - notes.offsetTop - notes.clientHeight / 2;
  };
  const stop = () => { clearInterval(timer); timer = null; play.textContent = "Play"; };
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (now === data.steps.length - 1) show(0);
    play.textContent = "Pause";
    timer = setInterval(() => { show(now + 1); if (now === data.steps.length - 1) stop(); }, 350);
  });
  get("back").addEventListener("click", () => { stop(); show(now - 1); });
  get("on").addEventListener("click", () => { stop(); show(now + 1); });
  at.addEventListener("input", () => { stop(); show(Number(at.value)); });
  document.addEventListener("keydown", (event) => {
    if (event.target === at) return;
    if (event.key === "ArrowLeft") { stop(); show(now - 1); }
    if (event.key === "ArrowRight") { stop(); show(now + 1); }
  });
  show(location.hash ? Number(location.hash.slice(1)) : 0);
})();
