/**
 * Tell of each change of what is looked for, whichever way it came: typed, emptied by Escape, or by the box's own cross.
 * @param {HTMLInputElement} input
 * @param {string} words looked for at the start
 * @param {(words: string) => void} changed
 */
export function findBox(input, words, changed) {
  let told = words;
  const tell = () => {
    const now = input.value.trim();
    if (now === told) return;
    told = now;
    changed(now);
  };
  input.value = words;
  for (const sign of ['input', 'search', 'change']) input.addEventListener(sign, tell);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault(); // browsers empty the box by themselves, but tell nobody once it has lost the focus
    input.value = '';
    tell();
    input.blur();
  });
}
