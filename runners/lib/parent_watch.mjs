// Is the process that started this runner still there?
//
// A runner must not outlive its keeper, even one that was killed without closing a pipe that somebody else inherited.
// The end of stdin tells of a keeper's end at once and costs nothing; this is for the rare rest, so it looks seldom: an
// idle runner hardly wakes. What to do when the parent is gone is the caller's business.

/** How often to look, in milliseconds. */
const EVERY_MS = 10_000;

/**
 * Calls `onGone` once when the parent process has gone. Works with subreapers: what counts is that the parent is
 * another one than at the start, or that its pid no longer exists.
 * @param {() => void} onGone
 * @param {number} [everyMs] how often to look, in milliseconds
 * @returns {() => void} stops watching
 */
export function watchParent(onGone, everyMs = EVERY_MS) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent && exists(parent)) return;
    clearInterval(timer);
    onGone();
  }, everyMs);
  timer.unref?.();
  return () => clearInterval(timer);
}

/** @param {number} pid */
function exists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM means that it exists and belongs to somebody else.
    return /** @type {{ code?: string }} */ (error).code !== 'ESRCH';
  }
}
