// Sign-in and account pages: shows a password, fills an invitation in from its link, and speaks with passkeys.
(() => {
  const page = document.currentScript?.dataset.words;
  const words = page
    ? JSON.parse(page)
    : {
        show: "Show",
        hide: "Hide",
        unused: "The passkey was not used. Try again, or sign in with your password.",
      };
  for (const button of document.querySelectorAll("[data-show-secret]")) {
    const field = button.previousElementSibling;
    button.hidden = false;
    button.addEventListener("click", () => {
      const show = field.type === "password";
      field.type = show ? "text" : "password";
      button.textContent = show ? words.hide : words.show;
      button.setAttribute("aria-pressed", String(show));
      field.focus();
    });
  }

  const invitation = document.querySelector("[data-invitation]");
  if (invitation && location.hash.length > 1) {
    invitation.elements.token.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }

  // ── passkeys ─────────────────────────────────────────────────────────────────────────────────────
  const can = window.PublicKeyCredential?.parseCreationOptionsFromJSON && window.isSecureContext;
  const failed = (form, said) => {
    const place = form.querySelector("[data-passkey-failed]") ?? form.parentElement.querySelector("[data-passkey-failed]");
    place.textContent = said;
    place.hidden = false;
  };
  const ask = async (form, address) => {
    const typed = new URLSearchParams();
    typed.set("csrf_token", form.elements.csrf_token.value);
    const answer = await fetch(address, { method: "POST", body: typed, credentials: "same-origin" });
    if (!answer.headers.get("Content-Type")?.startsWith("application/json")) return null;
    return answer.ok ? answer.json() : null;
  };
  const wire = (form, address, prove) => {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      try {
        const options = await ask(form, address);
        if (!options) {
          location.reload(); // the page was open too long, or wants a proof first
          return;
        }
        form.elements.credential.value = JSON.stringify((await prove(options)).toJSON());
        form.submit();
      } catch {
        failed(form, words.unused);
      }
    });
  };
  if (!can) return;
  for (const form of document.querySelectorAll("[data-passkey]")) {
    wire(form, form.dataset.passkey, (options) =>
      navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
    );
  }
  for (const form of document.querySelectorAll("[data-new-passkey]")) {
    wire(form, form.dataset.newPasskey, (options) =>
      navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
    );
  }
})();
