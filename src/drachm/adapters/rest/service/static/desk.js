// Keys for people who work at the desk all day. Everything here can be done without this file.
// J and K go through a list, X chooses the line, E R P open what stands beside it, / goes to the search, ? shows the keys.
(() => {
  const typing = (one) => one.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const side = () => document.getElementById("side");
  let wanted = null;

  const show = async (row) => {
    const address = row.dataset.row;
    if (!side() || !address) return;
    wanted = address;
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected || wanted !== address) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("side");
    if (!fresh || wanted !== address) return;
    side().replaceWith(document.adoptNode(fresh));
    for (const one of rows()) one.closest("tr").toggleAttribute("data-chosen", one.dataset.row === address);
  };

  const move = (by) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    if (!next) return;
    next.focus();
    show(next);
  };

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
