/** What the old gateway was, by its own files; the new one must say the same of itself. */
const carried = [
  "tiny-gateway|",
  "Address=10.0.2.78/24|",
  "Gateway=10.0.2.2|",
  "meter|",
  "operator:$6$tinysalt$",
  "AAAAITinyTiny",
  "the site's own key|",
];

/**
 * Throws unless the undisturbed conversion carried the identity, was committed and reported as converted: all points are
 * compared with it, so it must be right itself.
 */
export function checkRecordedIdentity(consoleLog: string): void {
  // Said three times, and what is in one of them was carried: the serial line may repeat a character, but makes up no words.
  const said = [...consoleLog.matchAll(/^IDENTITY (.*)$/gm)].map((match) => match[1] ?? "");
  const lost = carried.filter((words) => !said.some((identity) => identity.includes(words)));
  if (lost.length > 0)
    throw new Error(`the new system lacks ${lost.join(", ")}: it says\n${said.join("\n")}`);
  const [before, after] = [...consoleLog.matchAll(/^HOST-KEYS (\S+)/gm)].map((match) => match[1]);
  if (before === undefined || before !== after)
    throw new Error(`the host keys were ${before}, they are ${after}`);
  if (!/^NEW-SYSTEM slot=A committed=yes report=converted /m.test(consoleLog))
    throw new Error(`the new system does not say that it is slot A, committed and converted`);
}
