// A chart's legend: one real button a series, which shows it or takes it away.
const SVG = "http://www.w3.org/2000/svg";

// `tints` are custom properties' names, in the order of the series; `choose` is told a name.
export function legend({ months, series }, tints, choose) {
  const list = document.createElement("ul");
  list.className = "legend";
  series.forEach(({ name, kind }, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "legend__one";
    button.setAttribute("aria-pressed", "true");
    button.append(mark(kind, tints[index]), name);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!on));
      choose(name);
    });
    list.append(item(button));
  });
  if (months.some((month) => month.provisional)) {
    const note = document.createElement("span");
    note.className = "legend__note";
    note.append(mark("hatched", "--chart-7"), "hatched or hollow: can still change");
    list.append(item(note));
  }
  return list;
}

function item(inside) {
  const row = document.createElement("li");
  row.append(inside);
  return row;
}

// A square for bars, a dot on a line for lines, stripes for what can still change.
function mark(kind, tint) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `legend__mark legend__mark--${tint.slice(2)}`);
  svg.setAttribute("viewBox", "0 0 14 10");
  svg.setAttribute("width", "14");
  svg.setAttribute("height", "10");
  svg.setAttribute("aria-hidden", "true");
  if (kind === "line") {
    svg.append(shape("path", { d: "M0 5h14", "stroke-width": 2 }));
    svg.append(shape("circle", { cx: 7, cy: 5, r: 3.5, "stroke-width": 0 }));
  } else if (kind === "hatched") {
    svg.append(shape("path", { d: "M1 9l8-8M5 9l8-8", "stroke-width": 2 }));
  } else svg.append(shape("rect", { width: 14, height: 10, rx: 2.5, "stroke-width": 0 }));
  return svg;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
