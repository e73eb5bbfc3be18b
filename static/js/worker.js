// Keeps one page for the time without a net, and what that page is made of. Nothing else is kept, least of all anything private.
"use strict";

const { name: STORE, page: PAGE, parts: PARTS } = JSON.parse(new URL(self.location).searchParams.get("keep"));

self.addEventListener("install", (event) => {
  // What a page sends while it goes (the place in a book, the last click) would be lost on the way through here.
  event.addRoutes?.({ condition: { requestMethod: "POST" }, source: "network" });
  const asked = [PAGE, ...PARTS].map((address) => new Request(address, { credentials: "omit" }));
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(asked)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== STORE).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const isPart = PARTS.includes(request.url.replace(self.location.origin, ""));
  if (request.method !== "GET" || (request.mode !== "navigate" && !isPart)) return;
  event.respondWith(fetch(request).catch((error) => caches.match(isPart ? request : PAGE).then((kept) => kept ?? Promise.reject(error))));
});
