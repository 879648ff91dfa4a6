// Forms of filters: keeps their menus open while one ticks, and their fields true to the address.
const all = (fields) => document.querySelectorAll(`form[data-filters] ${fields}`);
let open = [];

document.documentElement.classList.add("is-scripted");

document.addEventListener("htmx:before:swap", () => {
  const folds = document.querySelectorAll("details.members-fold[open]");
  open = [...all("details.filter[open]"), ...folds].map((menu) => menu.id);
});

document.addEventListener("htmx:after:swap", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  // What was clicked no longer follows its attribute, which is what the address says.
  for (const box of all("input.tick")) box.checked = box.defaultChecked;
  for (const option of all("select.tick option")) option.selected = option.defaultSelected;
  for (const search of all("input[type=search]")) {
    if (search !== document.activeElement) search.value = search.defaultValue;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select, textarea") || document.querySelector("dialog[open]")) return;
  const [search] = all("input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
});
