// Pages that stay up to date: a stream says that something changed, htmx asks the page again and puts what is new of it in
// place. Closed while nobody looks. Without this file a page stays as it was opened.
(() => {
  const note = document.querySelector("[data-listen]"), region = document.getElementById("live");
  if (!note || !region || !window.EventSource || !window.htmx) return;
  let mark = region.dataset.mark, told = [], stream = null, over = false, pause = 5000;

  const sayings = () => [...region.querySelectorAll("[data-said]")].map((one) => one.dataset.said);
  const ask = () => htmx.trigger(region, "changed");
  const stop = () => { stream?.close(); stream = null; };
  const end = () => {
    over = true;
    stop();
    note.classList.remove("unseen");
    note.textContent = note.dataset.over;
  };

  region.addEventListener("htmx:before:response", (event) => {
    const answer = event.detail.ctx.response.raw;
    if (answer.ok) return;
    event.preventDefault();
    if (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404) end();
  });
  region.addEventListener("htmx:before:swap", () => { told = sayings(); });
  region.addEventListener("htmx:after:swap", () => {
    if (region.dataset.mark === mark) return;
    mark = region.dataset.mark;
    note.textContent = sayings().filter((one) => !told.includes(one)).slice(0, 2).join(" ") || note.dataset.news;
  });

  const listen = () => {
    if (stream || over || document.hidden) return;
    stream = new EventSource(`${note.dataset.listen}&mark=${mark}`);
    stream.addEventListener("open", () => { pause = 5000; });
    stream.addEventListener("changed", ask);
    stream.addEventListener("end", (event) => { if (event.data === "over") end(); });
    stream.addEventListener("error", () => {
      if (stream?.readyState !== EventSource.CLOSED) return;
      // Refused, not lost: ask the page whether anybody is signed in still, and try again later.
      stop();
      ask();
      setTimeout(listen, pause);
      pause = Math.min(pause * 2, 300000);
    });
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); else listen(); });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);
  listen();
})();
