// Keys for people who work at the desk all day. Everything here can be done without this file.
// J and K go through a list, X chooses the line, E R P open what stands beside it, / goes to the search, ? shows the keys.
(() => {
  const typing = (one) => one.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const move = (by) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    if (!next) return;
    next.focus();
    const look = next.closest("tr")?.querySelector("[hx-get]");
    if (look) window.htmx?.trigger(look, "beside");
  };

  document.addEventListener("htmx:after:swap", (event) => {
    for (const one of rows()) one.closest("tr")?.toggleAttribute("data-chosen", one.closest("tr").contains(event.target));
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "x") document.activeElement?.closest("tr")?.querySelector("input[type=checkbox]")?.click();
    else if (key === "/") document.getElementById("search")?.focus();
    else if (key === "?") document.getElementById("keys")?.toggleAttribute("open");
    else {
      const way = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
      if (!way) return;
      way.click();
    }
    event.preventDefault();
  });

  const all = document.getElementById("all");
  all?.removeAttribute("hidden");
  all?.addEventListener("click", () => {
    const boxes = [...document.querySelectorAll("input[type=checkbox][name^=event]")];
    const on = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = on;
  });
})();
