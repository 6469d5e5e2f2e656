// The composer: how long a text gets and what it costs while it is typed, saved replies in place, reply or note.
// The server says all of it too; without this file its buttons do the same.
(() => {
  // as faq/segments.py counts them
  const BASIC = new Set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
      "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
  );
  const EXTENSION = new Set("\f^{}\\[~]|€");
  const count = (encoding, widths, alone, joined) => {
    const units = widths.reduce((sum, width) => sum + width, 0);
    if (units <= alone) return { encoding, units, count: 1 };
    let segments = 1;
    let room = joined;
    for (const width of widths) {
      if (width > room) {
        segments += 1;
        room = joined;
      }
      room -= width;
    }
    return { encoding, units, count: segments };
  };
  const notGsm7 = (text) => [...new Set([...text].filter((c) => !BASIC.has(c) && !EXTENSION.has(c)))];
  const measure = (text) => {
    const characters = [...text];
    if (notGsm7(text).length) {
      return count("UCS-2", characters.map((c) => (c.codePointAt(0) > 0xffff ? 2 : 1)), 70, 67);
    }
    return count("GSM-7", characters.map((c) => (EXTENSION.has(c) ? 2 : 1)), 160, 153);
  };
  // as app/web/composer.py has them
  const PLAIN = {
    á: "a", í: "i", ó: "o", ú: "u", Á: "A", Í: "I", Ó: "O", Ú: "U", "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-",
    "—": "-", "…": "...", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "`": "'", "´": "'", "\t": " ", ç: "c", ª: "a",
    º: "o", "•": "-",
  };
  const plainly = (text) => [...text].map((c) => PLAIN[c] ?? c).join("");
  const cost = (segments, price) => (price > 0 ? `$${Math.max(0.01, Math.round(segments * price * 100) / 100).toFixed(2)}` : "");
  window.pumplineComposer = { measure, notGsm7, plainly, cost };

  const box = document.querySelector("[data-composer]");
  if (!box) return;
  const reply = document.getElementById("reply");
  const note = document.getElementById("note");
  const price = Number(box.dataset.price || 0);
  const words = box.dataset.words
    ? JSON.parse(box.dataset.words)
    : {
        alone: "{units} of 160",
        units: "{units} units",
        characters: "{units} characters",
        whole: "{length}, {encoding}, about {segments}",
        segment: "segment",
        segments: "segments",
        and: "and",
        strangeOne: "{characters} makes this {segments} of 70 characters. Without it: {without}.",
        strangeMany: "{characters} make this {segments} of 70 characters. Without them: {without}.",
      };
  const fill = (sentence, places) => sentence.replace(/\{(\w+)\}/g, (place, name) => places[name] ?? place);
  const inSegments = (number) => `${number} ${number === 1 ? words.segment : words.segments}`;

  const showMeter = () => {
    const text = reply.value.trim();
    const found = measure(text);
    const bar = box.querySelector("[data-meter-bar]");
    const said = box.querySelector("[data-meter-said]");
    if (said) {
      const alone = found.encoding === "GSM-7" ? 160 : 70;
      bar.setAttribute("width", String(Math.min(44, Math.floor((found.units * 44) / alone))));
      const counted = found.encoding === "UCS-2" ? words.units : words.characters;
      const length = fill(found.count === 1 && found.encoding === "GSM-7" ? words.alone : counted, { units: found.units });
      const price_ = cost(found.count, price);
      const whole = fill(words.whole, { length, encoding: found.encoding, segments: inSegments(found.count) });
      said.textContent = text ? `${whole}${price_ ? `, ${price_}` : ""}` : length;
    }
    const strange = notGsm7(text);
    const row = box.querySelector("[data-strange]");
    if (!row) return;
    row.hidden = !strange.length;
    const shown = row.querySelector("[data-strange-said]");
    shown.replaceChildren();
    if (!strange.length) return;
    const without = measure(plainly(text)).count;
    const sentence = strange.length === 1 ? words.strangeOne : words.strangeMany;
    const [before, after] = fill(sentence, { segments: inSegments(found.count), without }).split("{characters}");
    shown.append(before);
    strange.slice(0, 3).forEach((character, place, all) => {
      const bold = document.createElement("b");
      bold.textContent = character;
      shown.append(bold, place < all.length - 1 ? ` ${words.and} ` : "");
    });
    shown.append(after);
    const button = row.querySelector("[data-plainly]");
    button.hidden = !strange.every((character) => character in PLAIN);
  };
  const changed = () => reply.dispatchEvent(new Event("input", { bubbles: true }));
  reply?.addEventListener("input", showMeter);
  if (reply) showMeter();
  box.querySelector("[data-plainly]")?.addEventListener("click", () => {
    reply.value = plainly(reply.value);
    changed();
    reply.focus();
  });

  // ── saved replies ──────────────────────────────────────────────────────────────────────────────
  const saved = document.getElementById("saved");
  const openSaved = () => {
    saved.open = true;
    saved.querySelector(".saved-reply")?.focus();
  };
  const use = (button) => {
    const before = reply.value.trim() ? `${reply.value.trimEnd()} ` : "";
    const text = button.dataset.text;
    reply.value = before + text;
    saved.open = false;
    const places = box.querySelector("[data-places]");
    places.hidden = !button.dataset.filled;
    places.querySelector("[data-places-said]").textContent = button.dataset.filled;
    changed();
    reply.focus();
    const empty = /\{[a-z][a-z_]*\}/.exec(text); // the first place that is still to be filled in
    if (empty) reply.setSelectionRange(before.length + empty.index, before.length + empty.index + empty[0].length);
  };
  saved?.addEventListener("click", (event) => {
    const button = event.target.closest(".saved-reply");
    if (!button) return;
    event.preventDefault();
    use(button);
  });
  saved?.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      saved.open = false;
      reply.focus();
      event.stopPropagation();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const all = [...saved.querySelectorAll(".saved-reply")];
    all.at((all.indexOf(document.activeElement) + step) % all.length)?.focus();
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (saved?.open && !saved.contains(event.target)) saved.open = false;
  });

  // ── keys of the text itself ─────────────────────────────────────────────────────────────────────
  const kept = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage switched off
    }
  };
  const showKey = () => {
    const sign = box.querySelector("[data-send-key]");
    if (sign) sign.textContent = kept("pumpline-enter-sends") === "on" ? "Enter" : "Ctrl Enter";
  };
  showKey();
  document.addEventListener("pumpline:setting", showKey);
  reply?.addEventListener("keydown", (event) => {
    if (event.key === "/" && !reply.value && saved) {
      event.preventDefault();
      openSaved();
    } else if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.isComposing && kept("pumpline-enter-sends") === "on") {
      event.preventDefault();
      reply.form.requestSubmit();
    }
  });

  // ── reply or note: what was typed stays in its own ──────────────────────────────────────────────
  const compose = (which) => {
    for (const [name, form, field] of [["reply", "reply-form", reply], ["note", "note-form", note]]) {
      document.getElementById(form).hidden = name !== which;
      if (name === which) field.focus();
    }
    for (const tab of box.querySelectorAll("[data-compose]")) {
      if (tab.dataset.compose === which) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  };
  box.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-compose]");
    if (!tab) return;
    event.preventDefault();
    compose(tab.dataset.compose);
  });
  document.addEventListener("pumpline:compose", (event) => compose(event.detail));
})();
