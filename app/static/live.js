// Keeps a staff page true: hears from the server that something changed, has the page fetch its parts again, says
// honestly when it cannot, and sounds for alerts that nobody has acknowledged. Without it the pages still work.
(() => {
  const POLL_MS = 5000; // while there is no stream
  const STALE_AFTER_MS = 15000;
  const SILENCE_MS = 25000; // the stream ticks every 10 s: longer than two of them, and it is dead
  const SOUND_AGAIN_MS = 30000;
  const two = (number) => String(number).padStart(2, "0");
  const poll = () => document.querySelector("[data-poll]");
  const PLAIN = { live: "Live", reconnecting: "Reconnecting", stale: "Stale since %s" };
  const words = (name) => {
    const said = `said${name[0].toUpperCase()}${name.slice(1)}`;
    return document.getElementById("live-words")?.dataset[said] ?? PLAIN[name] ?? "";
  };

  // ── clocks: the server's time, which a simulator may have pushed ahead ──────────────────────────
  let ahead = 0;
  const readStamp = () => {
    const stamp = document.querySelector("[data-server-now]");
    if (!stamp) return;
    ahead = Date.parse(stamp.dataset.serverNow) - Date.now();
    // the title and icon of a page that refreshed only its parts
    if (!stamp.dataset.title) return;
    document.title = stamp.dataset.title;
    const icon = document.getElementById("favicon");
    if (icon.getAttribute("href") !== stamp.dataset.icon) icon.setAttribute("href", stamp.dataset.icon);
  };
  const waited = (seconds) => {
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  };
  const tick = () => {
    for (const timer of document.querySelectorAll("[data-waiting-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() + ahead - Date.parse(timer.dataset.waitingSince)) / 1000));
      if (seconds < 86400) timer.textContent = waited(seconds);
    }
  };
  const clinicTime = (at) => {
    const zone = document.querySelector("[data-server-now]")?.dataset.zone || undefined;
    const shown = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
    return new Intl.DateTimeFormat("en-GB", shown).format(new Date(at.getTime() + ahead));
  };

  // ── live, or honestly not ───────────────────────────────────────────────────────────────────────
  let failedAt = null;
  let streaming = false;
  const sign = (said, stale) => {
    for (const live of document.querySelectorAll("[data-live]")) {
      live.hidden = false;
      live.classList.toggle("live-stale", Boolean(said));
      const now = said || words("live");
      if (live.textContent !== now) live.textContent = now;
    }
    for (const reload of document.querySelectorAll("[data-live-reload]")) reload.hidden = !stale;
  };
  const wentWell = () => {
    failedAt = null;
    sign("", false);
  };
  const wentWrong = () => {
    failedAt ??= new Date();
    const stale = Date.now() - failedAt.getTime() >= STALE_AFTER_MS;
    sign(stale ? words("stale").replace("%s", clinicTime(failedAt)) : words("reconnecting"), stale);
  };

  // ── fetching again: one at a time, and once more when something changed meanwhile ─────────────────
  let fetching = false;
  let owed = false;
  let leaving = false; // the session is over, and the browser is on its way to the door
  const refresh = () => {
    const element = poll();
    if (!element || !window.htmx || leaving) return;
    if (fetching) {
      owed = true;
      return;
    }
    fetching = true;
    window.htmx.trigger(element, "pumpline:refresh");
  };
  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail?.ctx?.response?.status;
    if (status === 401) leaving = true;
    if (status && status < 400) wentWell();
    else wentWrong();
  });
  document.addEventListener("htmx:error", wentWrong);
  document.addEventListener("htmx:finally:request", () => {
    fetching = false;
    if (!owed) return;
    owed = false;
    setTimeout(refresh, 200);
  });

  // ── what is swapped: never an error page, and no new row under somebody's hand ────────────────────
  const held = new Map(); // a list's id, to what it will become
  const busyIn = (list) => list.matches(":hover") || list.contains(document.activeElement);
  const newIn = (list, fresh) => {
    const known = new Set([...list.querySelectorAll("[data-row]")].map((row) => row.id));
    return [...fresh.querySelectorAll("[data-row]")].filter((row) => row.id && !known.has(row.id)).length;
  };
  const offer = (list, count) => {
    let button = document.getElementById(`new-${list.id}`);
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.id = `new-${list.id}`;
      button.className = "btn btn-sm btn-quiet new-rows";
      button.addEventListener("click", () => {
        held.delete(list.id);
        button.remove();
        showNew = list.id;
        refresh();
      });
      list.before(button);
    }
    const said = words("newRows").replace("%d", count);
    if (button.textContent !== said) {
      button.textContent = said;
      sayPolitely(said);
    }
  };
  let showNew = null;
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail ?? {};
    if ((ctx?.response?.status ?? 200) >= 400) {
      event.preventDefault();
      return;
    }
    for (let i = (tasks?.length ?? 0) - 1; i >= 0; i -= 1) {
      const list = tasks[i].target;
      if (!(list instanceof Element) || !list.hasAttribute("data-holds-rows")) continue;
      const count = newIn(list, tasks[i].fragment);
      if (count && busyIn(list) && showNew !== list.id) {
        tasks.splice(i, 1);
        held.set(list.id, count);
        offer(list, count);
      } else {
        document.getElementById(`new-${list.id}`)?.remove();
        if (count) sayPolitely(words("newShown").replace("%d", count));
        held.delete(list.id);
      }
    }
    showNew = null;
  });
  document.addEventListener("htmx:after:swap", () => {
    readStamp();
    tick();
  });

  // ── saying: one polite voice, and one for urgent only ────────────────────────────────────────────
  const sayPolitely = (said) => {
    const voice = document.getElementById("say");
    if (voice) voice.textContent = said;
  };
  let lastWaiting = 0;
  const heardWaiting = (count) => {
    const voice = document.getElementById("say-urgent");
    if (voice && count > lastWaiting) voice.textContent = words(count === 1 ? "urgentOne" : "urgentMany").replace("%d", count);
    if (voice && !count) voice.textContent = "";
    if (count > lastWaiting) alarm(true);
    lastWaiting = count;
  };

  // ── sound: armed by one click; urgent ones again every 30 s until somebody acknowledges ───────────
  const kept = (key, otherwise) => {
    try {
      return localStorage.getItem(key) ?? otherwise;
    } catch {
      return otherwise; // storage switched off
    }
  };
  const keep = (key, value) => {
    try {
      localStorage.setItem(key, value);
    } catch {
      // it is asked again on the next page
    }
  };
  let sound = null;
  let armed = kept("pumpline-sound", "off") === "on";
  const play = (tones) => {
    if (!sound || sound.state !== "running") return;
    let at = sound.currentTime;
    for (const [hertz, seconds] of tones) {
      const tone = sound.createOscillator();
      const volume = sound.createGain();
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + seconds);
      tone.connect(volume).connect(sound.destination);
      tone.start(at);
      tone.stop(at + seconds);
      at += seconds;
    }
    document.documentElement.dataset.sounded = String(Number(document.documentElement.dataset.sounded ?? 0) + 1);
  };
  const URGENT = [[880, 0.22], [660, 0.22], [880, 0.22], [660, 0.3]];
  const SOFT = [[520, 0.18]];
  const showSound = () => {
    const running = armed && sound?.state === "running";
    for (const menu of document.querySelectorAll("[data-sound]")) {
      menu.hidden = false;
      menu.dataset.state = running ? "on" : armed ? "asleep" : "off";
      const said = words(running ? "soundOn" : armed ? "soundAsleep" : "soundOff");
      menu.querySelector("[data-sound-said]").textContent = said;
      menu.querySelector("summary").setAttribute("aria-label", said);
      menu.querySelector("[data-sound-off]").hidden = !armed;
    }
  };
  const wake = async () => {
    sound ??= new AudioContext();
    try {
      await sound.resume();
    } catch {
      // the browser wants a click first; the sign says so
    }
    showSound();
  };
  let soundedAt = 0;
  const alarm = (now) => {
    if (!armed || (!now && Date.now() - soundedAt < SOUND_AGAIN_MS - 500)) return;
    soundedAt = Date.now();
    play(URGENT);
  };
  const softly = (texts, mine) => {
    const which = kept("pumpline-other-sounds", "none");
    const wanted = which === "all" ? texts : which === "mine" ? mine : 0;
    if (armed && wanted && !document.hasFocus()) play(SOFT);
  };
  document.addEventListener("click", async (event) => {
    if (event.target.closest?.("[data-sound-test]")) {
      armed = true;
      keep("pumpline-sound", "on");
      await wake();
      play(URGENT);
    } else if (event.target.closest?.("[data-sound-off]")) {
      armed = false;
      keep("pumpline-sound", "off");
      showSound();
    } else if (armed && sound?.state !== "running") wake();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-other-sounds]")) keep("pumpline-other-sounds", event.target.value);
  });

  // ── the stream: it runs in hidden tabs too ───────────────────────────────────────────────────────
  let source = null;
  let heardAt = 0;
  let justMade = true; // the page came a moment ago: it is fetched again only if something changed since
  const heard = (event) => {
    heardAt = Date.now();
    streaming = true;
    wentWell();
    if (justMade && event.type === "tick" && event.lastEventId !== poll()?.dataset.mark) refresh();
    justMade = false;
    const { waiting = 0, texts = 0, mine = 0 } = JSON.parse(event.data);
    if (event.type === "changed") {
      refresh();
      softly(texts, mine);
    }
    heardWaiting(waiting);
    if (waiting) alarm(false);
  };
  const connect = () => {
    const address = document.querySelector("[data-stream]")?.dataset.stream;
    if (!address || !window.EventSource) return;
    source?.close();
    source = new EventSource(address);
    heardAt = Date.now();
    source.addEventListener("open", () => {
      streaming = true;
      heardAt = Date.now();
      wentWell();
      if (!justMade) refresh(); // whatever happened while there was no stream
    });
    source.addEventListener("changed", heard);
    source.addEventListener("tick", heard);
    source.addEventListener("over", () => {
      source.close();
      location.reload(); // the session is over: the server shows the door
    });
    source.addEventListener("error", () => {
      streaming = justMade = false;
      refresh(); // says at once whether only the stream is gone, or the server
    });
  };
  const watch = () => {
    if (streaming && Date.now() - heardAt > SILENCE_MS) {
      streaming = false;
      connect();
    }
    if (!streaming || failedAt) refresh();
    if (!streaming) {
      if (failedAt) wentWrong();
      if (!source || source.readyState === EventSource.CLOSED) connect();
    }
    if (lastWaiting) alarm(false);
  };
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    justMade = false;
    connect();
  });
  document.addEventListener("DOMContentLoaded", () => {
    readStamp();
    tick();
    setInterval(tick, 1000);
    sign("", false);
    if (!poll()) return;
    lastWaiting = Number(poll().dataset.waiting || 0);
    for (const choice of document.querySelectorAll("[data-other-sounds]")) {
      choice.checked = choice.value === kept("pumpline-other-sounds", "none");
    }
    if (armed) wake().then(() => lastWaiting && alarm(true));
    else showSound();
    connect();
    setInterval(watch, POLL_MS);
  });
})();
