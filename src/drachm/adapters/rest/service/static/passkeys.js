// Passkeys: the browser asks its person, we send what it answers as an ordinary form. Without this file people sign in
// with their clinic's account.
(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  const making = form.dataset.passkey === "make";
  const said = form.querySelector("[role=status]");
  form.removeAttribute("hidden");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const asked = JSON.parse(form.dataset.options);
    try {
      const answer = making
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
      form.querySelector("[name=answer]").value = JSON.stringify(answer.toJSON());
      form.submit();
    } catch {
      said.textContent = form.dataset.failed;
    }
  });
})();
