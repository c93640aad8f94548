// How well a text fits what was typed: every character in order, better at the beginnings of words and side by side.

/** As it is compared: no case, no accents, full-width forms as the usual ones. */
export const plain = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase('en').slice(0, 256);

const isStart = (text: string, at: number): boolean => {
  if (at === 0) return true;
  const [before, here] = [text[at - 1] ?? '', text[at] ?? ''];
  // A Chinese character is a word's beginning by itself.
  return /[^\p{L}\p{N}]/u.test(before) || /\p{Script=Han}/u.test(here) || (/\d/.test(here) && !/\d/.test(before));
};

/** Higher is better; null: it does not fit. Both are to be [`plain`]. */
export function fit(text: string, query: string): number | null {
  if (query === '') return 0;
  const whole = text.indexOf(query);
  if (whole >= 0) return 1000 + (isStart(text, whole) ? 200 : 0) - whole - text.length / 100;
  let score = 0;
  let at = -1;
  let row = 0;
  for (const character of query) {
    if (character === ' ') continue;
    // The beginning of a word is preferred to the next place, as people abbreviate: `ns` is "new server".
    let next = text.indexOf(character, at + 1);
    if (next < 0) return null;
    if (next !== at + 1 && !isStart(text, next)) {
      for (let later = next; later >= 0; later = text.indexOf(character, later + 1)) {
        if (isStart(text, later)) {
          next = later;
          break;
        }
      }
    }
    row = next === at + 1 ? row + 1 : 0;
    score += (isStart(text, next) ? 12 : 2) + row * 6 - Math.min(next - at - 1, 10) / 2;
    at = next;
  }
  // Characters strewn about are no match that a person meant.
  return score < query.length * 5 ? null : score - text.length / 100;
}
