// Which icon stands for a verdict about an agent's health? The same in the list and in the head of a session.

import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark';
import ClockAlert from '@lucide/svelte/icons/clock-alert';
import CloudAlert from '@lucide/svelte/icons/cloud-alert';
import Hourglass from '@lucide/svelte/icons/hourglass';
import KeyRound from '@lucide/svelte/icons/key-round';
import Unplug from '@lucide/svelte/icons/unplug';

/** One for each verdict that is shown; an agent that is well has none. */
export const healthIcons = {
  quiet: Hourglass,
  stalled: ClockAlert,
  degraded: CloudAlert,
  authFailed: KeyRound,
  gone: Unplug,
  unknown: CircleQuestionMark,
};
