// When has everything that was there to be read been read?
//
// On a busy machine a timer is late, and one that is late fires before what came in the meantime is read. So a time without
// output proves nothing by itself: only a further look at the pipes does.

/** Resolves when what is waiting in this process's pipes and sockets has been read. */
export function lookedOnce() {
  // After the timers of a turn of the event loop come its reads, and after those its immediates.
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Calls back when nothing was heard for a time.
 * @param {number} quietMs
 * @param {() => void} onSilence called once
 * @returns {{ heard: () => void, cancel: () => void }} `heard` starts the time anew
 */
export function awaitSilence(quietMs, onSilence) {
  let heard = 0;
  let over = false;
  const timer = setTimeout(async () => {
    const before = heard;
    await lookedOnce();
    if (over) return;
    if (heard !== before) return void timer.refresh();
    over = true;
    onSilence();
  }, quietMs);
  return {
    heard: () => {
      heard += 1;
      if (!over) timer.refresh();
    },
    cancel: () => {
      over = true;
      clearTimeout(timer);
    },
  };
}
