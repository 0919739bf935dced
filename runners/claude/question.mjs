// How `AskUserQuestion`, with which claude asks its user to choose, is put to a person, and how the choice is told to it.

import { chosen, questionOptions, questionTitle } from '../lib/questions.mjs';

/**
 * @param {Record<string, any>} input of the tool
 * @returns {import('../lib/questions.mjs').Question[]}
 */
function questions(input) {
  const asked = Array.isArray(input.questions) ? input.questions : [];
  return asked.map((/** @type {any} */ { question, options, multiSelect }) => ({
    text: String(question ?? ''),
    choices: (options ?? []).map((/** @type {any} */ option) => String(option.label ?? option)),
    several: multiSelect === true,
  }));
}

/**
 * @param {Record<string, any>} input
 * @returns {Pick<import('../lib/pending_permissions.mjs').PermissionAsk, 'title' | 'input' | 'options'>}
 */
export function asQuestion(input) {
  return { title: questionTitle(questions(input)), input, options: questionOptions() };
}

/**
 * @param {Record<string, any>} input
 * @param {string | undefined} said the words of the answer
 * @returns {Record<string, any>} the input with the answers, as claude reads them
 */
export function questionAnswers(input, said) {
  const asked = questions(input);
  const answers = chosen(asked, said).map((labels, at) => [asked[at].text, labels.join(', ')]);
  return { ...input, answers: Object.fromEntries(answers.filter(([, words]) => words !== '')) };
}
