// Run by the whole Node and by the trimmed one: both must say the same. Prints one JSON line of what the agent relies on.
import { createHash, createPublicKey, generateKeyPairSync, getCiphers, sign, verify } from "node:crypto";
import { once } from "node:events";
import { lookup } from "node:dns/promises";
import { createServer } from "node:net";
import { Worker } from "node:worker_threads";
import { gunzipSync, gzipSync } from "node:zlib";

const { privateKey } = generateKeyPairSync("ed25519");
const worker = new Worker("require('node:worker_threads').parentPort.postMessage(6 * 7)", { eval: true });
const [answer] = await once(worker, "message");
const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
server.close();

const moscow = { timeZone: "Europe/Moscow", dateStyle: "full", timeStyle: "long" };
const facts = {
  version: process.version,
  sha256: createHash("sha256").update("dualroot").digest("hex"),
  signature: verify(
    null,
    Buffer.from("a"),
    createPublicKey(privateKey),
    sign(null, Buffer.from("a"), privateKey),
  ),
  ciphers: getCiphers().length,
  zlib: gunzipSync(gzipSync("dualroot")).toString(),
  answer,
  address: (await lookup("127.0.0.1")).address,
  date: new Intl.DateTimeFormat("en", moscow).format(0),
  locale: new Date(0).toLocaleString("en-US", { timeZone: "UTC" }),
  number: new Intl.NumberFormat("en").format(1234567.89),
  plural: new Intl.PluralRules("en").select(1),
  order: ["ё", "z", "а", "b", "B"].toSorted(new Intl.Collator("en").compare),
  words: [...new Intl.Segmenter("en", { granularity: "word" }).segment("one two")].length,
  graphemes: [...new Intl.Segmenter("en").segment("e\u0301x")].length,
  normal: ["é".normalize("NFD").length, "e\u0301".normalize("NFC").length, "ﬁ".normalize("NFKC")],
  cases: ["я".toUpperCase(), "İ".toLowerCase().length, "ß".toUpperCase()],
  expression: /^\p{Lu}\p{Script=Cyrillic}+$/u.test("Шлюз"),
  host: new URL("http://шлюз.example/").host,
  utf8: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from("шлюз")),
  utf16: new TextDecoder("utf-16le").decode(Buffer.from("шлюз", "utf16le")),
  latin1: new TextDecoder("latin1").decode(Buffer.from([0xe9, 0x80])),
  wasm: WebAssembly.validate(Buffer.from("0061736d01000000", "hex")),
};
process.stdout.write(`${JSON.stringify(facts)}\n`);
