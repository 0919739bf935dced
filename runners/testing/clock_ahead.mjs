// Loaded into a process before its program (`node --import`): its clock is ahead of the real one by TEST_CLOCK_AHEAD_MS
// milliseconds. Timers run as they always do.

const RealDate = Date;
const ahead = Number(process.env.TEST_CLOCK_AHEAD_MS ?? 0);

globalThis.Date = class extends RealDate {
  /** @param {any[]} from */
  constructor(...from) {
    // @ts-expect-error the constructor of Date has several forms, and each is passed on
    super(...(from.length > 0 ? from : [RealDate.now() + ahead]));
  }

  static now() {
    return RealDate.now() + ahead;
  }
};
