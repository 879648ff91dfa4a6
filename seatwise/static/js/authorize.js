// Authorize in a window of its own; where popups are blocked, the form leads there itself.

const WINDOW = "seatwise-authorize";
const page = document.querySelector("[data-authorized-at]");

for (const form of document.querySelectorAll("form[data-authorize]")) {
  form.addEventListener("submit", () => {
    const popup = window.open("", WINDOW, "popup,width=640,height=780");
    form.target = popup ? WINDOW : "";
    form.elements.popup.value = popup ? "1" : "0";
    const waiting = form.querySelector("[data-waiting]");
    if (waiting && popup) waiting.hidden = false;
  });
}

const news = new BroadcastChannel("seatwise-authorizations");
news.addEventListener("message", ({ data }) => {
  if (data.kind !== "came-home" || data.service !== page.dataset.authorizedAt.split("/")[2]) return;
  news.postMessage({ kind: "taken-over", authorization: data.authorization });
  location.assign(`${page.dataset.authorizedAt}?authorization=${data.authorization}`);
});
