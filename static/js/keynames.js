// What a key is called: the same for the judging page and for the page where people choose their keys.

/** "d", "Shift+d", "Enter", "F2"; letters are small whatever Caps Lock says, and those of other alphabets go by place. */
export function keyName({ key, code, shiftKey }) {
  const place = key.length === 1 && key > "\u007f" && code?.startsWith("Key") ? code.slice(3) : key;
  const letter = place.length === 1 && place.toLowerCase() !== place.toUpperCase();
  return letter ? `${shiftKey ? "Shift+" : ""}${place.toLowerCase()}` : place;
}

/** One that a person may choose; the server looks again. */
export const mayBe = (name) => /^((Shift\+)?\p{L}|[-=,.;'/[\]\\`]|Enter|F[2489])$/u.test(name);

/** As it stands on a cap: a capital says Shift by itself. */
export const cap = (name) => (name.startsWith("Shift+") ? `⇧${name.slice(6)}` : name);
