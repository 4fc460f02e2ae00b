import { join } from "node:path";
import * as z from "zod";
import { exitCodes, StepError, userError } from "../../format/errors.ts";
import { exists } from "../system/files.ts";
import { confirm } from "./confirm.ts";
import type { StageOneContext } from "./context.ts";

const problems = z.array(z.object({ code: z.string(), message: z.string(), hint: z.string() })).min(1);
const answerSchema = z.union([
  z.object({ ok: z.literal(true), from: z.string(), to: z.string(), system: z.string() }),
  z.object({ ok: z.literal(false), exitCode: z.int(), problems }),
]);
type Answer = Extract<z.infer<typeof answerSchema>, { ok: true }>;

/** Boots the other slot from now on, by the program that every slot has; here it gets the words of upgrade.sh. */
export async function rollback(context: StageOneContext): Promise<number> {
  const { args, places, answer, say } = context;
  const program = join(places.root, "usr/sbin/dualroot-rollback");
  if (!(await exists(program))) {
    throw userError(
      {
        code: "not-dual-system",
        message: "This gateway is no dual system: there is no other slot to go to.",
        hint: "Rolling back is for gateways that were converted.",
      },
      "refused",
    );
  }
  const other = await ask(context, program, ["--check"]);
  say([`Slot ${other.to}: ${other.system}`]);
  const question = `Boot slot ${other.to} from now on, with slot ${other.from} as the fallback? Type yes: `;
  if (!args.assumeYes && !(await confirm(question, new AbortController().signal, "rollback"))) {
    answer({ command: "rollback", outcome: "declined" }, ["Nothing was changed."]);
    return exitCodes.interrupted;
  }
  const done = await ask(context, program, ["--yes", ...(args.reboot ? [] : ["--no-reboot"])]);
  const after = args.reboot ? "The gateway restarts now." : "The next restart, whenever it comes, boots it.";
  answer({ command: "rollback", outcome: "set", ...done }, [
    `Slot ${done.to} boots from now on; slot ${done.from} is the fallback. ${after}`,
  ]);
  return exitCodes.success;
}

async function ask({ run }: StageOneContext, program: string, words: string[]): Promise<Answer> {
  const accepted = [exitCodes.usage, exitCodes.refused, exitCodes.stepFailed];
  const { stdout } = await run(program, ["--json", ...words], {
    acceptExitCodes: accepted,
    timeoutSeconds: 120,
  });
  const parsed = answerSchema.parse(JSON.parse(stdout));
  if (parsed.ok) return parsed;
  const [problem] = parsed.problems;
  if (parsed.exitCode === exitCodes.stepFailed)
    throw new StepError(problem!.message, { hint: problem!.hint });
  throw userError(problem!, "refused");
}
