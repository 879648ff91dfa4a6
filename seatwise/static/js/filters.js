// Forms of filters: keeps their menus open while one ticks, and their boxes true to the address.
const menus = () => document.querySelectorAll("form[data-filters] details.filter");
let open = [];

document.documentElement.classList.add("is-scripted");

document.addEventListener("htmx:before:swap", () => {
  open = [...menus()].filter((menu) => menu.open).map((menu) => menu.id);
});

document.addEventListener("htmx:after:swap", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const form of document.querySelectorAll("form[data-filters]")) {
    // A box that was clicked no longer follows its attribute, which is what the address says.
    for (const box of form.querySelectorAll("input.tick")) box.checked = box.defaultChecked;
    for (const search of form.querySelectorAll("input[type=search]")) {
      if (search !== document.activeElement) search.value = search.defaultValue;
    }
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select, textarea") || document.querySelector("dialog[open]")) return;
  const search = document.querySelector("form[data-filters] input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
});
