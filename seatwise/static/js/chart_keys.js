// A chart by keyboard: arrow keys go from month to month and say its numbers, Enter opens it.

// Makes the canvas a stop of the Tab key; gives back the words that a screen reader is told.
export function monthByMonth(canvas, { months, series }, { id, name, show, hide, open, say }) {
  const told = document.createElement("p");
  told.className = "visually-hidden";
  told.id = id;
  told.setAttribute("role", "status");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "group");
  canvas.setAttribute("aria-label", `${name}. Arrow keys go from month to month, Enter opens one.`);
  let at = months.length;
  const go = (to) => {
    at = Math.max(0, Math.min(months.length - 1, to));
    show(at);
    const numbers = series.map((each) => `${each.name} ${say(each.values[at])}`);
    const note = months[at].mark ? `, ${months[at].mark}` : "";
    told.textContent = `${months[at].name}${note}: ${numbers.join(", ")}`;
  };
  const moves = {
    ArrowLeft: () => go(at - 1),
    ArrowRight: () => go(at + 1),
    Home: () => go(0),
    End: () => go(months.length - 1),
    Enter: () => months[at] && open(at),
    Escape: hide,
  };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move();
  });
  canvas.addEventListener("blur", hide);
  return told;
}
