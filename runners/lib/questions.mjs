// How is a question of the agent, with or without choices, put to a person as a permission request, and what do the words of
// the answer choose?
//
// An answer is one line of words. Several questions are answered one line each, several choices with commas between them.

/**
 * @typedef {object} Question
 * @property {string} text
 * @property {string[]} choices labels; empty when it is answered freely
 * @property {boolean} [several] whether more than one may be chosen
 */

/**
 * @param {Question[]} questions
 * @returns {string} one line for people
 */
export function questionTitle(questions) {
  const told = questions.map(({ text, choices }) => (choices.length > 0 ? `${text} (${choices.join(' / ')})` : text));
  return told.join(' · ').replaceAll(/\s*\n\s*/g, ' ') || 'The agent has a question';
}

/** @returns {import('./pending_permissions.mjs').PermissionAsk['options']} */
export function questionOptions() {
  return [
    { outcome: 'allow', label: 'Answer' },
    { outcome: 'deny', label: 'Do not answer' },
  ];
}

/**
 * @param {Question[]} questions
 * @param {string | undefined} said the words of the answer
 * @returns {string[][]} for each question what was chosen, or the words themselves; empty where nothing was said
 */
export function chosen(questions, said = '') {
  const lines = questions.length > 1 ? said.split('\n') : [said];
  return questions.map((question, at) => choices(question, (lines[at] ?? '').trim()));
}

/**
 * @param {Question} question
 * @param {string} words
 */
function choices({ choices: labels, several }, words) {
  if (words === '') return [];
  const parts = several && labels.length > 0 ? words.split(',').map((part) => part.trim()) : [words];
  return parts.filter((part) => part !== '').map((part) => label(labels, part));
}

/**
 * A choice is named by its label, in any case, or by its number.
 * @param {string[]} labels
 * @param {string} part
 */
function label(labels, part) {
  const named = labels.find((candidate) => candidate.toLowerCase() === part.toLowerCase());
  const numbered = /^\d+$/.test(part) ? labels[Number(part) - 1] : undefined;
  return named ?? numbered ?? part;
}
