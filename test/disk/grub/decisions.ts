import type { BootSituation } from "../../../agent/boot/slot-choice.ts";
import { encodeGrubenv, grubenvBytes, type SlotName } from "../../../format/grubenv.ts";

/** One question to GRUB and to the model. */
export interface Decision {
  title: string;
  /** The file as GRUB finds it; undefined: it is missing. */
  grubenv: Uint8Array | undefined;
  proven: SlotName[];
  slots: SlotName[];
  situation: BootSituation;
  /** The very bytes GRUB leaves behind, where the file is none that our own tools would decode. */
  after?: Uint8Array;
}

const orders = ["A B", "B A", "A", "B", "", "C A"];
const tries = ["0", "1", "2", "3", "x"];
const provenSets: SlotName[][] = [[], ["A"], ["B"], ["A", "B"]];

/** Every combination of ORDER, OK and TRY thinned out evenly, then every way a grubenv can be damaged. */
export function sampleDecisions(every: number): Decision[] {
  const states: Map<string, string>[] = [];
  for (const order of orders)
    for (const okA of ["0", "1"])
      for (const tryA of tries)
        for (const okB of ["0", "1"])
          for (const tryB of tries)
            states.push(
              new Map([
                ["ORDER", order],
                ["A_OK", okA],
                ["A_TRY", tryA],
                ["B_OK", okB],
                ["B_TRY", tryB],
              ]),
            );
  // `every` shares no factor with the dimensions, so that each value of each key stays in the sample.
  const sampled = states.filter((_, index) => index % every === 0);
  return [
    ...sampled.map((state, index) => intact(state, provenSets[index % provenSets.length]!, ["A", "B"])),
    ...states.filter((_, index) => index % (every * 7) === 0).map((state) => intact(state, [], ["A"])),
    intact(new Map(), [], ["A", "B"]),
    intact(
      new Map([
        ["ORDER", "B A"],
        ["own", "a\\b"],
      ]),
      [],
      ["A", "B"],
    ),
    ...oddValues().map((state) => intact(state, [], ["A", "B"])),
    ...provenSets.flatMap((proven) => [...damaged(proven), ...oddFiles(proven)]),
  ];
}

/** All of them as on a disk that takes no writes: nothing can be counted. */
export function uncountedDecisions(every: number): Decision[] {
  return sampleDecisions(every)
    .filter(({ after }) => after === undefined)
    .map((one) => ({ ...one, situation: { ...one.situation, writable: false } }));
}

/** Values that nobody of us writes, in an otherwise good file. */
function oddValues(): Map<string, string>[] {
  const orders = ["A A", "B B A", "a b", "A,B", " B  A ", "AB", "A B A B", "rescue", "0 1"];
  const oks = ["x", "", "11", "01", "true", "1 ", "-1"];
  const tries = ["7", "", "00", "03", "-1", "1 ", "2x", "99999999999999999999"];
  const changes: [string, string][][] = [
    ...orders.map((value): [string, string][] => [["ORDER", value]]),
    ...["A_OK", "B_OK"].flatMap((key) => oks.map((value): [string, string][] => [[key, value]])),
    ...tries.map((value): [string, string][] => [["A_TRY", value]]),
    ...tries.map((value): [string, string][] => [
      ["A_TRY", value],
      ["B_TRY", value],
    ]),
  ];
  return changes.map((change) => new Map([...Object.entries(goodValues), ...change]));
}

const goodValues = { ORDER: "A B", A_OK: "1", A_TRY: "0", B_OK: "1", B_TRY: "0" };

/** Files that GRUB reads and our tools would mend. */
function oddFiles(proven: SlotName[]): Decision[] {
  const good = Buffer.from(encodeGrubenv(new Map(Object.entries(goodValues))));
  const text = good.toString("latin1");
  const counted = (before: Buffer): Buffer =>
    Buffer.from(before.toString("latin1").replace("A_TRY=0", "A_TRY=1"), "latin1");
  const zeroPadded = Buffer.from(
    text.replace(/#+$/, (padding) => "\0".repeat(padding.length)),
    "latin1",
  );
  const twice = Buffer.from(`${text.replace(/#+$/, "")}A_TRY=0\n`.padEnd(grubenvBytes, "#"), "latin1");
  const twiceOff = Buffer.from(`${text.replace(/#+$/, "")}A_OK=0\n`.padEnd(grubenvBytes, "#"), "latin1");
  const readable = new Map(Object.entries(goodValues));
  const returns = new Map(Object.entries(goodValues).map(([key, value]) => [key, `${value}\r`]));
  const odd = (
    title: string,
    file: Buffer,
    state: Map<string, string> | undefined,
    writable: boolean,
    after: Buffer = file,
  ): Decision => ({
    ...decision(`${title} proven=${proven.join()}`, file, proven, ["A", "B"], state, writable),
    after,
  });
  const countedInB = (before: Buffer): Buffer =>
    Buffer.from(
      before.toString("latin1").replace("B_TRY=0", "B_TRY=1").replace("A_OK=1", "A_OK=0"),
      "latin1",
    );
  return [
    odd("512 bytes", good.subarray(0, 512), readable, true, counted(good.subarray(0, 512))),
    odd("1023 bytes", good.subarray(0, 1023), readable, true, counted(good.subarray(0, 1023))),
    // A counter that nothing follows but zeros has no room, by GRUB's rules.
    odd("padded with zeros", zeroPadded, readable, false),
    odd("line ends of another system", Buffer.from(text.replaceAll("\n", "\r\n")), undefined, false),
    odd("values that end with a carriage return", Buffer.from(encodeGrubenv(returns)), returns, true),
    odd("one byte of the header is wrong", Buffer.from(text.replace("GRUB", "GRUX")), undefined, false),
    // GRUB reads the last one and writes the first: what it counts does not come back.
    odd("a counter twice", twice, readable, false, counted(twice)),
    odd(
      "OK twice, the last says no",
      twiceOff,
      new Map([...readable, ["A_OK", "0"]]),
      true,
      countedInB(twiceOff),
    ),
  ];
}

function intact(state: Map<string, string>, proven: SlotName[], slots: SlotName[]): Decision {
  return decision(
    `${[...state].join(" ")} proven=${proven.join()}`,
    encodeGrubenv(state),
    proven,
    slots,
    state,
    true,
  );
}

/** GRUB reads such a file, and its first 1024 bytes are right. */
function oneByteMore(state: Map<string, string>): Uint8Array {
  return Buffer.concat([encodeGrubenv(state), Buffer.from("\n")]);
}

function damaged(proven: SlotName[]): Decision[] {
  const complete = new Map([
    ["ORDER", "B A"],
    ["A_OK", "1"],
    ["A_TRY", "0"],
    ["B_OK", "1"],
    ["B_TRY", "1"],
  ]);
  const withoutTries = new Map([
    ["ORDER", "B A"],
    ["A_OK", "1"],
    ["B_OK", "1"],
  ]);
  const bOff = new Map([
    ["ORDER", "B A"],
    ["A_OK", "1"],
    ["B_OK", "0"],
  ]);
  const full = new Map([...withoutTries, ["own", "x".repeat(grubenvBytes - 53 - 5)]]);
  const cases: [string, Uint8Array | undefined, Map<string, string> | undefined, boolean][] = [
    ["missing", undefined, undefined, false],
    ["0 bytes", new Uint8Array(), undefined, false],
    ["garbage", Buffer.alloc(grubenvBytes, 0xa5), undefined, false],
    ["no room for the counters", encodeGrubenv(full), full, false],
    // Without padding at its end GRUB finds no room for new keys, but can still change a digit where it stands.
    ["1025 bytes, counters missing", oneByteMore(withoutTries), withoutTries, false],
    ["1025 bytes, counters missing, B off", oneByteMore(bOff), bOff, false],
    ["1025 bytes, all keys there", oneByteMore(complete), complete, true],
  ];
  return cases.map(([title, file, state, writable]) =>
    decision(`${title} proven=${proven.join()}`, file, proven, ["A", "B"], state, writable),
  );
}

function decision(
  title: string,
  grubenv: Uint8Array | undefined,
  proven: SlotName[],
  slots: SlotName[],
  environment: Map<string, string> | undefined,
  writable: boolean,
): Decision {
  return { title, grubenv, proven, slots, situation: { environment, slots, proven, writable } };
}

/** What must be in grubenv afterwards: a changed state, or the very bytes that were there. */
export function expectedGrubenv(
  { grubenv, situation, after }: Decision,
  changes: ReadonlyMap<string, string>,
): { state: Map<string, string> } | { bytes: Buffer | undefined } {
  if (after) return { bytes: Buffer.from(after) };
  if (grubenv === undefined || changes.size === 0) return { bytes: grubenv && Buffer.from(grubenv) };
  const defaults = new Map([
    ["ORDER", "A B"],
    ["A_OK", "1"],
    ["A_TRY", "0"],
    ["B_OK", "1"],
    ["B_TRY", "0"],
  ]);
  return { state: new Map([...defaults, ...(situation.environment ?? []), ...changes]) };
}
