"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const panels = [...document.querySelectorAll(".panel")].map((place) => {
    const source = place.querySelector("script");
    const figure = JSON.parse(source.textContent);
    source.remove();
    return { place, figure };
  });

  // Colors that a figure leaves open follow the page.
  function themed(layout) {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: color("--grid"), linecolor: color("--line"), zerolinecolor: color("--line") };
    const result = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: color("--sheet"), bordercolor: color("--line"), font: { color: color("--ink") } },
      ...layout,
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: color("--ink"), ...layout.font },
    };
    for (const key of new Set(["xaxis", "yaxis", ...Object.keys(layout)])) {
      if (/^[xy]axis\d*$/.test(key)) result[key] = { ...axis, automargin: true, ...layout[key] };
    }
    return result;
  }

  function draw({ place, figure }) {
    const config = { responsive: true, displayModeBar: false, displaylogo: false };
    return Plotly.react(place, figure.data || [], themed(figure.layout || {}), config);
  }

  // One panel at a time, so that the page can be read and scrolled meanwhile.
  function drawAll(from = 0) {
    if (from >= panels.length) return;
    draw(panels[from]);
    setTimeout(() => drawAll(from + 1), 0);
  }

  dark.addEventListener("change", () => drawAll());
  drawAll();
})();
