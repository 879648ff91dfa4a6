// What every page can do once scripts run; each thing works without them in a plainer way.

// What an address asks to be opened at once.
const ASKED = [
  "integrate",
  "revoke",
  "erase",
  "adopt",
  "accept-keys",
  "authorization",
  "believe",
  "deactivate",
  "delete",
  "remove",
  "secret",
];
// As the pages write days themselves: "23 November 2026, 23:38".
const dayHere = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const toTheMinute = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const timeHere = new Intl.DateTimeFormat("en-GB", toTheMinute);
const secondHere = new Intl.DateTimeFormat("en-GB", { ...toTheMinute, second: "2-digit" });

// The address that the page's content is of. Whoever goes back or forward to another gets that one
// anew; also who does so while the page still loads, where nothing would have listened in time.
let shown = withoutHash(performance.getEntriesByType("navigation")[0]?.name ?? location.href);
showTheAddress();
window.addEventListener("popstate", showTheAddress);
document.addEventListener("htmx:before:history:restore", (event) => event.preventDefault());
for (const moved of ["push", "replace"]) {
  document.addEventListener(`htmx:after:history:${moved}`, () => (shown = withoutHash(location.href)));
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const closer = event.target.closest("[data-closes]");
  const copier = event.target.closest("[data-copies]");
  if (opener) open(opener, event);
  else if (closer) close(closer, event);
  else if (copier) copy(copier);
  else if (event.target.matches("dialog[open]") && isOutside(event)) event.target.close();
  for (const filter of document.querySelectorAll("details.filter[open]")) {
    const downloads = event.target.closest("a[download]");
    if (downloads || !filter.contains(event.target)) filter.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const filter = document.activeElement.closest?.("details.filter[open]");
    if (filter) {
      filter.open = false;
      filter.querySelector("summary").focus();
    }
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") walk(event);
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-until-changed]");
  if (form) waitForChange(form);
});
document.addEventListener("htmx:after:swap", () => dress(document));
document.addEventListener("htmx:response:error", () =>
  tell("The page could not be brought up to date. What you see stays; load it again."),
);
document.addEventListener("htmx:error", () =>
  tell("Seatwise does not answer. What you see stays; it is tried again when you go on."),
);

dress(document);
for (const dialog of document.querySelectorAll("dialog[data-modal][open]")) {
  dialog.close();
  dialog.showModal();
  // The address asked for this dialog; once it is closed, loading again must not bring it back.
  dialog.addEventListener("close", () => {
    if (dialog.open) return;
    const here = new URL(location.href);
    for (const asked of ASKED) here.searchParams.delete(asked);
    history.replaceState(history.state, "", here);
    shown = withoutHash(location.href);
  });
}

function withoutHash(address) {
  return address.split("#")[0];
}

function showTheAddress() {
  if (shown !== withoutHash(location.href)) location.reload();
}

function dress(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-dressed])")) {
    const moment = new Date(time.dateTime);
    const clock = time.dataset.local === "seconds" ? secondHere : timeHere;
    const local = `${dayHere.format(moment)}, ${clock.format(moment)}`;
    time.dataset.dressed = "";
    if (time.hasAttribute("data-local")) {
      time.title = time.textContent;
      time.textContent = local;
    } else time.title = `${local} your time, ${time.title}`;
  }
  for (const button of root.querySelectorAll("[data-copies][hidden]")) {
    button.hidden = !navigator.clipboard;
  }
  for (const form of root.querySelectorAll("form[data-until-changed]")) waitForChange(form);
}

// A button that would change nothing waits until something was changed.
function waitForChange(form) {
  const isChanged = [...form.querySelectorAll("select")].some(
    (select) => !select.selectedOptions[0]?.defaultSelected,
  );
  form.querySelector("button").disabled = !isChanged;
}

function open(opener, event) {
  const dialog = document.getElementById(opener.dataset.opens);
  if (!dialog) return;
  event.preventDefault();
  dialog.showModal();
  dialog.dispatchEvent(new Event("dialog-opened"));
}

function close(closer, event) {
  const dialog = closer.closest("dialog");
  if (!dialog) return;
  event.preventDefault();
  dialog.close();
}

function isOutside(event) {
  const box = event.target.getBoundingClientRect();
  const inside =
    event.clientX >= box.left &&
    event.clientX <= box.right &&
    event.clientY >= box.top &&
    event.clientY <= box.bottom;
  return !inside;
}

async function copy(button) {
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
  const words = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = words), 2000);
}

// Arrow keys go from the search box through the rows' buttons and links and back.
function walk(event) {
  const list = document.getElementById("choices");
  if (!list?.parentElement.contains(document.activeElement)) return;
  const stops = [
    document.getElementById("catalogue-search"),
    ...list.querySelectorAll(".choices__action :is(button, a)"),
  ];
  const at = stops.indexOf(document.activeElement);
  if (at < 0) return;
  event.preventDefault();
  stops[Math.max(0, Math.min(stops.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))].focus();
}

function tell(sentence) {
  const flash = document.getElementById("flash");
  if (!flash) return;
  flash.textContent = sentence;
  flash.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => (flash.hidden = true), 8000);
}
