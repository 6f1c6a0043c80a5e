// Where the outbox lives: IndexedDB; where the browser refuses that, localStorage. Values are plain data by id.

const NAME = "touchstone";
const PREFIX = `${NAME}:outbox:`;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

class Indexed {
  constructor(database) {
    this.database = database;
  }

  #rows = (mode) => this.database.transaction("outbox", mode).objectStore("outbox");
  put = (entry) => done(this.#rows("readwrite").put(entry));
  get = (id) => done(this.#rows("readonly").get(id));
  drop = (id) => done(this.#rows("readwrite").delete(id));
  all = () => done(this.#rows("readonly").getAll());
}

class Local {
  put = async (entry) => localStorage.setItem(PREFIX + entry.id, JSON.stringify(entry));
  get = async (id) => JSON.parse(localStorage.getItem(PREFIX + id)) ?? undefined;
  drop = async (id) => localStorage.removeItem(PREFIX + id);
  all = async () => Promise.all(Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map((key) => this.get(key.slice(PREFIX.length))));
}

async function opened() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("outbox", { keyPath: "id" });
  return new Indexed(await done(request));
}

/** A promise of the store: put(entry) · get(id) · drop(id) · all(). */
export const store = opened().catch(() => new Local());
