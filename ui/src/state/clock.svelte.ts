// What time is it, for running counters? One tick a second for the whole page, and none while nobody looks.

let now = $state(Date.now());
let readers = 0;
let timer: ReturnType<typeof setInterval> | null = null;

/** Keeps the clock going while the calling component is mounted. Call it while a component is set up. */
export function useClock(): { readonly now: number } {
  $effect(() => {
    readers += 1;
    now = Date.now();
    timer ??= setInterval(() => {
      if (document.visibilityState === 'visible') now = Date.now();
    }, 1000);
    return () => {
      readers -= 1;
      if (readers > 0 || timer === null) return;
      clearInterval(timer);
      timer = null;
    };
  });
  return {
    get now() {
      return now;
    },
  };
}
