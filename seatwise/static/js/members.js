// The Members page: keeps filter menus open while one ticks, and boxes true to the address.
const menus = () => document.querySelectorAll("#members-form details.filter");
let open = [];

document.documentElement.classList.add("is-scripted");

document.addEventListener("htmx:before:swap", () => {
  open = [...menus()].filter((menu) => menu.open).map((menu) => menu.id);
});

document.addEventListener("htmx:after:swap", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  // A box that was clicked no longer follows its attribute, which is what the address says.
  for (const box of document.querySelectorAll("#members-form input.tick")) {
    box.checked = box.defaultChecked;
  }
  for (const month of document.querySelectorAll("#members-form select.tick option")) {
    month.selected = month.defaultSelected;
  }
  const search = document.getElementById("members-search");
  if (search && search !== document.activeElement) search.value = search.defaultValue;
});
