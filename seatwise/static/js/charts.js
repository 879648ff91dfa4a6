// Draws usage by month with ECharts, in the page's own colours, light or dark.
// The data stands in a JSON block beside the figure; the page's table says the same without it.
import { legend } from "./chart_legend.js";
import { monthByMonth } from "./chart_keys.js";

const charts = new Map();

// What a colour of the palette is there: each stands for a light and a dark one.
function palette(canvas) {
  const probe = document.createElement("i");
  probe.hidden = true;
  canvas.after(probe);
  return (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
}

const exact = (value) => (value == null ? "unknown" : value.toLocaleString("en-GB"));

// How the chart's numbers are said: with their currency, where they are amounts.
function sayer({ currency }) {
  if (!currency) return exact;
  const whole = new Intl.NumberFormat("en-GB", { style: "currency", currency, maximumFractionDigits: 0, minimumFractionDigits: 0 });
  const cents = new Intl.NumberFormat("en-GB", { style: "currency", currency });
  const form = (value) => (Number.isInteger(value) ? whole : cents).format(value);
  return (value) => (value == null ? "unknown" : form(value));
}

// The custom properties of the palette that the server has chosen for the series.
const tints = (series) => series.map(({ colour }) => `--${colour}`);

// What can still change is hatched, so that nobody takes a month that goes on for a drop.
const hatched = (colour) => ({
  symbol: "rect",
  color: colour("--surface"),
  dashArrayX: [1, 0],
  dashArrayY: [2, 3],
  rotation: -Math.PI / 4,
});

// `stack`: what stands on each other is a part of one whole.
function bars(months, values, tint, colour, stack) {
  const look = { color: tint, borderRadius: stack ? 0 : [3, 3, 0, 0] };
  return {
    ...(stack ? { stack } : {}),
    barGap: "12%", // beside each other: one is no part of the other
    barCategoryGap: "28%",
    barMaxWidth: 18,
    itemStyle: look,
    data: values.map((value, index) =>
      months[index].provisional
        ? { value, itemStyle: { ...look, decal: hatched(colour), borderColor: tint, borderWidth: 1 } }
        : value,
    ),
  };
}

function line(months, values, tint, colour) {
  const surface = colour("--surface");
  return {
    symbol: "circle",
    symbolSize: 7,
    lineStyle: { width: 2, color: tint },
    itemStyle: { color: tint, borderColor: surface, borderWidth: 1.5 },
    data: values.map((value, index) =>
      months[index].provisional
        ? { value, symbolSize: 9, itemStyle: { color: surface, borderColor: tint, borderWidth: 2 } }
        : value,
    ),
  };
}

function seriesOf({ months, series }, colour) {
  const colours = tints(series);
  return series.map(({ name, kind, values, stack }, index) => ({
    name,
    type: kind,
    ...(kind === "line" ? line : bars)(months, values, colour(colours[index]), colour, stack),
    emphasis: { focus: "none" },
  }));
}

// Elements instead of a string of HTML: names stay text, and no style attribute is needed.
function tip(month, points, say) {
  const box = document.createElement("div");
  const title = document.createElement("strong");
  title.textContent = month.name + (month.mark ? `, ${month.mark}` : "");
  const list = document.createElement("dl");
  for (const { seriesName, value } of points) {
    const name = document.createElement("dt");
    const number = document.createElement("dd");
    name.textContent = seriesName;
    number.textContent = say(value);
    list.append(name, number);
  }
  box.append(title, list);
  if (month.why) {
    const why = document.createElement("p");
    why.className = "chart__why";
    why.textContent = month.why;
    box.append(why);
  }
  return box;
}

function options(data, still, colour) {
  const { fontFamily } = getComputedStyle(document.body);
  const text = { color: colour("--chart-text"), fontFamily, fontSize: 12 };
  return {
    animation: !still,
    animationDuration: 300,
    textStyle: text,
    legend: { show: false }, // buttons beside the canvas switch the series
    grid: { left: 4, right: 8, top: 12, bottom: 4, containLabel: true },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: colour("--chart-1"), opacity: 0.08 } },
      className: "chart__tip",
      backgroundColor: colour("--surface"),
      borderColor: colour("--line"),
      formatter: (points) => tip(data.months[points[0].dataIndex], points, sayer(data)),
    },
    xAxis: {
      type: "category",
      data: data.months.map((month) => month.short),
      axisLabel: text,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("--line-strong") } },
      triggerEvent: true,
    },
    yAxis: {
      type: "value",
      minInterval: 1,
      axisLabel: { ...text, formatter: sayer(data) },
      splitLine: { lineStyle: { color: colour("--chart-grid") } },
    },
    series: seriesOf(data, colour),
  };
}

// A click anywhere above a month opens it: its row's link where there is one, else the page.
function openMonth(figure, month) {
  const link = document.querySelector(`[data-month="${month.slug}"]`);
  if (link) link.click();
  else if (figure.dataset.address) {
    const there = new URL(figure.dataset.address, location.href);
    there.searchParams.set("month", month.slug);
    location.assign(there);
  }
}

function draw(figure) {
  const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const canvas = document.createElement("div");
  canvas.className = "chart__canvas";
  const told = `chart-${figure.dataset.chart}-told`;
  figure.append(legend(data, tints(data.series), (name) => choose(chart, name)), canvas);
  const colour = palette(canvas);
  const chart = window.echarts.init(canvas, null, { renderer: "canvas" });
  chart.setOption(options(data, still, colour));
  chart.getZr().on("click", ({ offsetX, offsetY }) => {
    if (!chart.containPixel("grid", [offsetX, offsetY])) return;
    const [index] = chart.convertFromPixel({ seriesIndex: 0 }, [offsetX, offsetY]);
    if (data.months[index]) openMonth(figure, data.months[index]);
  });
  figure.append(
    monthByMonth(canvas, data, {
      id: told,
      name: figure.dataset.name ?? "Usage by month",
      show: (index) => chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: index }),
      hide: () => chart.dispatchAction({ type: "hideTip" }),
      open: (index) => openMonth(figure, data.months[index]),
      say: sayer(data),
    }),
  );
  new ResizeObserver(() => chart.resize()).observe(canvas);
  charts.set(figure, { chart, data, colour });
}

const choose = (chart, name) => chart.dispatchAction({ type: "legendToggleSelect", name });

function drawAll() {
  for (const figure of charts.keys()) {
    if (figure.isConnected) continue;
    charts.get(figure).chart.dispose();
    charts.delete(figure);
  }
  for (const figure of document.querySelectorAll("[data-chart]")) {
    if (!charts.has(figure)) draw(figure);
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const { chart, data, colour } of charts.values()) {
    chart.setOption(options(data, true, colour));
  }
});
document.addEventListener("htmx:after:swap", drawAll);
document.addEventListener("htmx:after:swap", () => {
  document.getElementById("breakdown")?.scrollIntoView({ block: "nearest" });
});
drawAll();
