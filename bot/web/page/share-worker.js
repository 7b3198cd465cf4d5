// A service worker for what other apps share with the installed page: it keeps songs until the page asks for them
// (shared.js), and opens the page. It handles no other request, and the page itself is outside of its scope.

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "POST" && new URL(url).pathname.endsWith("/page/share")) event.respondWith(take(event.request));
});

async function take(request) {
  const given = await request.formData();
  const files = given.getAll("songs").filter((one) => one instanceof File && one.size > 0);
  const cache = await caches.open("shared");
  const keep = (file, number) => {
    const headers = { "Content-Type": file.type, "X-File-Name": encodeURIComponent(file.name) };
    return cache.put(`shared/${Date.now()}-${number}`, new Response(file, { headers }));
  };
  await Promise.all(files.map(keep));
  const texts = ["title", "text", "url"].filter((name) => given.get(name)).map((name) => [name, given.get(name)]);
  const query = new URLSearchParams(files.length > 0 ? [["songs", files.length]] : texts);
  return Response.redirect(`../?${query}`, 303);
}
