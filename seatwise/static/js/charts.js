// Draws usage by month with ECharts, in the page's own colours, light or dark.
// The data stands in a JSON block beside the figure; the page's table says the same without it.
const charts = new Map();

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const exact = (value) => (value == null ? "unknown" : value.toLocaleString("en-GB"));

function seriesOf(data) {
  const bars = ["--chart-2", "--chart-1", "--chart-4", "--chart-6"];
  const lines = ["--chart-3", "--chart-5"];
  return data.series.map(({ name, kind, values }) => {
    const isLine = kind === "line";
    const tint = colour((isLine ? lines : bars).shift() ?? "--chart-7");
    const shape = isLine
      ? { symbol: "circle", symbolSize: 7, lineStyle: { width: 2 } }
      : { barGap: "-100%", barMaxWidth: 24 };
    return {
      name,
      type: kind,
      data: values,
      ...shape,
      itemStyle: isLine
        ? { color: tint, borderColor: colour("--surface"), borderWidth: 1.5 }
        : { color: tint, borderRadius: [3, 3, 0, 0] },
      emphasis: { focus: "none" },
    };
  });
}

// Elements instead of a string of HTML: names stay text, and no style attribute is needed.
function tip(month, points) {
  const box = document.createElement("div");
  const title = document.createElement("strong");
  title.textContent = month.name + (month.provisional ? ", provisional" : "");
  const list = document.createElement("dl");
  for (const { seriesName, value } of points) {
    const name = document.createElement("dt");
    const number = document.createElement("dd");
    name.textContent = seriesName;
    number.textContent = exact(value);
    list.append(name, number);
  }
  box.append(title, list);
  return box;
}

function options(data, still) {
  const text = { color: colour("--chart-text"), fontFamily: colour("--font"), fontSize: 12 };
  return {
    animation: !still,
    animationDuration: 300,
    textStyle: text,
    legend: { left: 0, top: 0, itemWidth: 12, itemHeight: 8, textStyle: text, icon: "roundRect" },
    grid: { left: 4, right: 8, top: 40, bottom: 4, containLabel: true },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: colour("--chart-1"), opacity: 0.08 } },
      className: "chart__tip",
      backgroundColor: colour("--surface"),
      borderColor: colour("--line"),
      formatter: (points) => tip(data.months[points[0].dataIndex], points),
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
      axisLabel: { ...text, formatter: exact },
      splitLine: { lineStyle: { color: colour("--chart-grid") } },
    },
    series: seriesOf(data),
  };
}

// A click anywhere above a month opens it: its row's link where there is one, else the page.
function openMonth(figure, month) {
  const link = document.querySelector(`[data-month="${month.slug}"]`);
  if (link) link.click();
  else if (figure.dataset.address) location.assign(`${figure.dataset.address}?month=${month.slug}`);
}

function draw(figure) {
  const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const canvas = document.createElement("div");
  canvas.className = "chart__canvas";
  canvas.setAttribute("aria-hidden", "true");
  figure.append(canvas);
  const chart = window.echarts.init(canvas, null, { renderer: "canvas" });
  chart.setOption(options(data, still));
  chart.getZr().on("click", ({ offsetX, offsetY }) => {
    if (!chart.containPixel("grid", [offsetX, offsetY])) return;
    const [index] = chart.convertFromPixel({ seriesIndex: 0 }, [offsetX, offsetY]);
    if (data.months[index]) openMonth(figure, data.months[index]);
  });
  new ResizeObserver(() => chart.resize()).observe(canvas);
  charts.set(figure, { chart, data });
}

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
  for (const { chart, data } of charts.values()) chart.setOption(options(data, true), true);
});
document.addEventListener("htmx:after:swap", drawAll);
document.addEventListener("htmx:after:swap", () => {
  document.getElementById("breakdown")?.scrollIntoView({ block: "nearest" });
});
drawAll();
