"""Plain data sets with a card each: frames, lists and arrays; knows neither engine nor domains."""
