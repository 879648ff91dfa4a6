// The catalogue by keyboard: "/" goes to the search, Enter in it to the first product found.
document.addEventListener("keydown", (event) => {
  const search = document.getElementById("catalogue-search");
  if (!search?.checkVisibility()) return;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "/" && isPlain && !event.target.matches("input, select, textarea")) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Enter" && event.target === search) {
    // The product is added by a second Enter: what was typed last may not have been answered yet.
    const first = document.querySelector("#choices .choices__action :is(button, a)");
    if (!first || !search.closest("dialog")) return;
    event.preventDefault();
    first.focus();
  }
});

// Whoever walked on before the answer came stands on a row that is gone: back to the search.
document.addEventListener("htmx:after:swap", () => {
  const search = document.getElementById("catalogue-search");
  if (search?.checkVisibility() && document.activeElement === document.body) search.focus();
});
