// Keeps the conversation in the browser's database, so that it survives a reload.

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("vellum", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("conversations");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run(mode, operation) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction("conversations", mode);
      const request = operation(transaction.objectStore("conversations"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

// In a private window there may be no database, and a full disk ends writing: the page works without.
async function orNothing(promise) {
  try {
    return await promise;
  } catch {
    return undefined;
  }
}

let last = Promise.resolve();

// Conversations are written one after the other, so that the latest stays.
export function save(conversation) {
  const copy = structuredClone(conversation);
  last = last.then(() => orNothing(run("readwrite", (store) => store.put(copy, "current"))));
  return last;
}

export function load() {
  return orNothing(run("readonly", (store) => store.get("current")));
}
