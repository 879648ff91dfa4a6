// In the popup: hand the outcome to the window it came from, which answers, and close.
// When nobody answers, this page stays and says everything itself.

const { service, authorization } = document.getElementById("came-home").dataset;
const news = new BroadcastChannel("seatwise-authorizations");

news.addEventListener("message", ({ data }) => {
  if (data.kind === "taken-over" && data.authorization === authorization) window.close();
});
news.postMessage({ kind: "came-home", service, authorization });
