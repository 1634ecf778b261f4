// What pages do more where scripts run: print, and leave without a way back. Everything works without.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
for (const button of document.querySelectorAll("[data-leave]")) {
  button.addEventListener("click", () => { document.querySelector("main").hidden = true; });
}
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.tongue[open]")) if (!open.contains(event.target)) open.open = false;
});
