// Songs that other apps share with the installed page, see share-worker.js.

const WORKER = "page/share-worker.js";

export function letAppsShare() {
  const policy = window.trustedTypes?.createPolicy("share-worker", { createScriptURL: () => WORKER });
  return navigator.serviceWorker.register(policy?.createScriptURL("") ?? WORKER);
}

// Returns the songs that were shared, which are kept no longer.
export async function takeFiles() {
  const cache = await caches.open("shared");
  const files = [];
  for (const key of await cache.keys()) {
    const kept = await cache.match(key);
    const type = kept.headers.get("Content-Type") ?? "";
    files.push(new File([await kept.blob()], decodeURIComponent(kept.headers.get("X-File-Name")), { type }));
    await cache.delete(key);
  }
  return files;
}
