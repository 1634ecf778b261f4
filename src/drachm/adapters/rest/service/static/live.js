// Pages that stay up to date: a stream says that something changed, the page is asked again, and what is new of it takes
// its place. Closed while nobody looks. Without this file a page stays as it was opened.
(() => {
  const note = document.querySelector("[data-listen]");
  if (!note || !window.EventSource) return;
  let mark = note.dataset.mark, stream = null, busy = false, more = false, over = false, pause = 5000;

  const stop = () => { stream?.close(); stream = null; };
  const end = () => {
    over = true;
    stop();
    note.classList.remove("unseen");
    note.textContent = note.dataset.over;
  };

  const place = (region, fresh) => {
    const at = region.contains(document.activeElement) ? document.activeElement : null;
    const open = [...region.querySelectorAll("details")].map((one) => one.open);
    region.replaceChildren(...document.importNode(fresh, true).childNodes);
    region.querySelectorAll("details").forEach((one, number) => { one.open = open[number] ?? one.open; });
    if (!at) return;
    const same = at.href ? [...region.querySelectorAll("a")].find((one) => one.href === at.href) : region.querySelector(at.localName);
    (same ?? document.querySelector("main")).focus();
  };

  const refresh = async () => {
    if (busy) { more = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { "drachm-by-itself": "1" }, redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404) return end();
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("[data-listen]");
      if (!now || now.dataset.mark === mark) return;
      const before = new Set([...document.querySelectorAll("[data-said]")].map((one) => one.dataset.said));
      for (const region of document.querySelectorAll("[data-live]")) {
        const fresh = page.querySelector(`[data-live="${region.dataset.live}"]`);
        if (fresh) place(region, fresh);
      }
      mark = now.dataset.mark;
      const said = [...document.querySelectorAll("[data-said]")].map((one) => one.dataset.said).filter((one) => !before.has(one));
      note.textContent = said.slice(0, 2).join(" ") || note.dataset.news;
    } catch {
      // The network is away: the stream comes back by itself, and says so.
    } finally {
      busy = false;
      if (more && !over) { more = false; refresh(); }
    }
  };

  const listen = () => {
    if (stream || over || document.hidden) return;
    stream = new EventSource(`${note.dataset.listen}&mark=${mark}`);
    stream.addEventListener("open", () => { pause = 5000; });
    stream.addEventListener("changed", refresh);
    stream.addEventListener("end", (event) => { if (event.data === "over") end(); });
    stream.addEventListener("error", () => {
      if (stream?.readyState !== EventSource.CLOSED) return;
      // Refused, not lost: ask the page whether anybody is signed in still, and try again later.
      stop();
      refresh().then(() => setTimeout(listen, pause));
      pause = Math.min(pause * 2, 300000);
    });
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); else listen(); });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);
  listen();
})();
