// Opens the file in pdf.js: fetched range by range as pages need it, tried again when the line breaks, pictures until then.
"use strict";

(() => {
  const root = document.querySelector("[data-reader]");
  if (!root || !window.CourseHub) return;
  const { dataset } = root;
  const at = (id) => document.getElementById(id);
  const CHUNK = 65536;
  const PAUSES = [500, 1500, 4000];
  const pages = Number(dataset.pages);
  const size = Number(dataset.size);

  const hashPage = () => Number(new URLSearchParams(location.hash.slice(1)).get("page"));
  const within = (page) => Math.min(Math.max(1, Math.trunc(page) || 1), pages);

  const reader = {
    root,
    pages,
    at,
    within,
    hashPage,
    page: hashPage() ? within(hashPage()) : Number(dataset.page),
    viewer: undefined,
    bus: undefined,
    links: undefined,
    say: (words) => (at("reader_status").textContent = words),
    go(page) {
      if (reader.viewer && pages) reader.viewer.currentPageNumber = within(page);
    },
    // Parts that need the viewer; each is called once, when it is there.
    whenReady: (part) => (reader.viewer ? part() : root.addEventListener("reader:ready", part, { once: true })),
  };
  window.CourseHub.reader = reader;

  const state = (name) => {
    root.dataset.state = name;
    at("reader_loading").hidden = name !== "loading";
    at("reader_container").hidden = name !== "loading" && name !== "ready";
    const drawn = name === "ready";
    for (const control of root.querySelectorAll("[data-was-disabled]")) control.disabled = !drawn;
  };

  // What went wrong, with a way on. `lasting`: trying again by itself is of no use.
  const trouble = (words, { lasting = false } = {}) => {
    at("reader_trouble_text").textContent = dataset[words];
    at("reader_trouble").hidden = false;
    if (lasting) gaveUp = true;
  };
  const noTrouble = () => (at("reader_trouble").hidden = true);

  class Refused extends Error {
    constructor(response) {
      super(`HTTP ${response.status}`);
      const signedOut = response.type === "opaqueredirect" || response.status === 401;
      this.words = signedOut ? "textSignedOut" : "textRefused";
      this.lasting = signedOut || (response.status >= 400 && response.status < 500 && response.status !== 429);
    }
  }

  const fetchRange = async (begin, end) => {
    const response = await fetch(dataset.pdf, { headers: { Range: `bytes=${begin}-${end - 1}` }, redirect: "manual" });
    if (response.status !== 206 && response.status !== 200) throw new Refused(response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    // Something between us that knows no ranges sends the whole file.
    return response.status === 206 ? bytes : bytes.slice(begin, end);
  };

  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const waiting = new Set();
  let gaveUp = false;

  // Resolves with the bytes, however long that takes: in between the person is told, and may ask again.
  const surely = async (begin, end) => {
    for (let turn = 0; ; turn += 1) {
      try {
        const bytes = await fetchRange(begin, end);
        if (!waiting.size) noTrouble();
        return bytes;
      } catch (error) {
        if (error.lasting) trouble(error.words, { lasting: true });
        if (turn < PAUSES.length && !gaveUp) {
          await pause(PAUSES[turn]);
        } else {
          if (!gaveUp) trouble("textAway");
          await new Promise((again) => waiting.add(again));
          turn = -1;
        }
      }
    }
  };

  const again = () => {
    gaveUp = false;
    noTrouble();
    const those = [...waiting];
    waiting.clear();
    for (const proceed of those) proceed();
  };
  at("reader_retry").addEventListener("click", () => (waiting.size && !gaveUp ? again() : location.reload()));
  window.addEventListener("online", () => waiting.size && again());

  const sheet = (href) =>
    new Promise((resolve, reject) => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
      link.addEventListener("load", resolve);
      link.addEventListener("error", () => reject(new Error("no style sheet")));
      document.head.append(link);
    });

  const transport = (pdfjs, first) => {
    class Ranges extends pdfjs.PDFDataRangeTransport {
      requestDataRange(begin, end) {
        surely(begin, end).then((bytes) => this.onDataRange(begin, bytes));
      }
    }
    return new Ranges(size, first);
  };

  const open = async () => {
    state("loading");
    if (reader.page !== Number(dataset.page) && reader.page <= Number(dataset.drawn)) {
      at("reader_picture")?.setAttribute("src", dataset.thumb.replace("/0.webp", `/${reader.page}.webp`).replace("small", "large"));
    }
    try {
      const [pdfjs, first] = await Promise.all([
        import(dataset.pdfjs),
        fetchRange(0, Math.min(CHUNK, size)),
        sheet(dataset.sheet),
      ]);
      globalThis.pdfjsLib = pdfjs;
      const parts = await import(dataset.viewer);
      await show(pdfjs, parts, first);
    } catch (error) {
      state("still");
      if (error instanceof Refused && error.lasting) trouble(error.words, { lasting: true });
      else trouble(navigator.onLine && !(error instanceof TypeError) && !(error instanceof Refused) ? "textBroken" : "textAway");
    }
  };

  const show = async (pdfjs, parts, first) => {
    pdfjs.GlobalWorkerOptions.workerSrc = dataset.worker;
    const bus = new parts.EventBus();
    const links = new parts.PDFLinkService({
      eventBus: bus,
      externalLinkTarget: parts.LinkTarget.BLANK,
      externalLinkRel: "noopener noreferrer nofollow",
    });
    const viewer = new parts.PDFViewer({
      container: at("reader_container"),
      viewer: at("reader_pages"),
      eventBus: bus,
      linkService: links,
      findController: new parts.PDFFindController({ eventBus: bus, linkService: links }),
      textLayerMode: 1,
      annotationMode: pdfjs.AnnotationMode.ENABLE,
      annotationEditorMode: pdfjs.AnnotationEditorType.DISABLE,
      imageResourcesPath: `${dataset.parts}images/`,
      maxCanvasPixels: 2 ** 24,
    });
    links.setViewer(viewer);
    const file = await pdfjs.getDocument({
      range: transport(pdfjs, first),
      rangeChunkSize: CHUNK,
      disableAutoFetch: true,
      disableStream: true,
      enableXfa: false,
      isEvalSupported: false,
      cMapUrl: `${dataset.parts}cmaps/`,
      standardFontDataUrl: `${dataset.parts}standard_fonts/`,
      wasmUrl: `${dataset.parts}wasm/`,
      iccUrl: `${dataset.parts}iccs/`,
    }).promise;
    bus.on("pagesinit", () => {
      viewer.currentScaleValue = root.clientWidth < 700 ? "page-width" : "auto";
      viewer.currentPageNumber = within(reader.page);
    });
    const drawn = new Promise((done) => bus.on("pagerendered", done, { once: true }));
    viewer.setDocument(file);
    links.setDocument(file);
    await drawn;
    Object.assign(reader, { viewer, bus, links });
    state("ready");
    takeKeys();
    root.dispatchEvent(new CustomEvent("reader:ready"));
  };

  // The arrows scroll at once, without a ring around what nobody has gone to.
  const takeKeys = () => {
    const desk = at("reader_container");
    if (document.activeElement !== document.body) return;
    desk.classList.add("reader__container--quiet");
    desk.addEventListener("blur", () => desk.classList.remove("reader__container--quiet"), { once: true });
    desk.focus({ preventScroll: true });
  };

  for (const part of root.querySelectorAll("[data-needs-script]")) part.hidden = false;
  for (const control of root.querySelectorAll("button:disabled, select:disabled")) control.dataset.wasDisabled = "";
  if (size) open();
})();
