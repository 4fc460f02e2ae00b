import { Command, Option } from "@commander-js/extra-typings";
import { keyRoles } from "../format/signature.ts";
import { helperCommandLine } from "./helper-command-line.ts";
import { smokeCommandLine } from "./smoke-command-line.ts";

/** Every command is declared here in a few lines; its body is imported only when it runs, so `--help` costs nothing. */
export function createProgram() {
  const program = new Command("dualroot")
    .description(
      "Build, look at and try upgrade packages that turn a gateway with one root into a dual system",
    )
    .version("0.1.0")
    .showHelpAfterError("(see --help)")
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 2 wrong usage, 3 bad input, 4 refused, 5 a step failed, 6 not trusted. See docs/exit-codes.md.",
    );

  program
    .command("build")
    .description("make an upgrade package from a release description")
    .argument("<release.yaml>", "what to build; see docs/release-yaml.md")
    .requiredOption("-o, --output <dir>", "folder of the package; replaced only if it is a package or empty")
    .option("--rauc-bundle", "also make OUTPUT.raucb, the same for `rauc install`; see docs/rauc.md")
    .option("--no-cache", "take nothing from earlier builds, and keep nothing for later ones")
    .option("--json", "print the result as JSON on standard output, progress on standard error")
    .addHelpText("after", "\nExample:\n  dualroot build release.yaml -o out/demo-2026.11")
    .action(async (release, options) => (await import("./commands/build.ts")).buildCommand(release, options));

  program
    .command("plan")
    .description("print what a release would build, or what a package would do to a described disk")
    .argument("<release.yaml or package>", "a release description, or the folder of a package")
    .option(
      "--disk <facts.json>",
      "for a package: facts of a gateway, as `upgrade.sh check --json` prints them",
    )
    .option("--json", "print the plan itself")
    .addHelpText(
      "after",
      "\nExamples:\n  dualroot plan release.yaml\n  dualroot plan out/demo-2026.11 --disk gateway-facts.json",
    )
    .action(async (subject, options) => (await import("./commands/plan.ts")).planCommand(subject, options));

  program
    .command("inspect")
    .description("show what a package contains; trusts nothing, verifies nothing")
    .argument("<package>", "folder of the package")
    .option("--files", "list the files of the root filesystem")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nExample:\n  dualroot inspect out/demo-2026.11 --files")
    .action(async (folder, options) =>
      (await import("./commands/inspect.ts")).inspectCommand(folder, options),
    );

  program
    .command("diff")
    .description(
      "say in what two packages differ: which file, which entry, which field; exit code 4 if they do",
    )
    .argument("<package>", "folder of a package")
    .argument("<package>", "folder of another one")
    .option("--json", "print all differences as JSON")
    .addHelpText("after", "\nExample:\n  dualroot diff out/first out/second")
    .action(async (a, b, options) => (await import("./commands/diff.ts")).diffCommand(a, b, options));

  program
    .command("cache")
    .description("show what is kept between builds, and how much; all of it can be made again")
    .option("--clear", "remove it; not while a build or a helper runs")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nExamples:\n  dualroot cache\n  dualroot cache --clear")
    .action(async (options) => (await import("./commands/cache.ts")).cacheCommand(options));

  program
    .command("verify")
    .description("check the signature and every digest of a package")
    .argument("<package>", "folder of the package")
    .requiredOption("--key <file.pub...>", "public keys to trust; several may be given")
    .option("--allow-development-key", "accept a package signed by a key with the role dev")
    .option("--json", "print the verdict as JSON")
    .addHelpText("after", "\nExample:\n  dualroot verify out/demo-2026.11 --key keys/release.pub")
    .action(async (folder, options) => (await import("./commands/verify.ts")).verifyCommand(folder, options));

  program
    .command("keygen")
    .description("make a key pair that signs packages; never overwrites")
    .argument("<dir>", "folder for ROLE.key (mode 0600) and ROLE.pub")
    .addOption(
      new Option("--role <role>", "what gateways may accept it for").choices(keyRoles).makeOptionMandatory(),
    )
    .option("--json", "print as JSON")
    .addHelpText("after", "\nExample:\n  dualroot keygen keys --role release")
    .action(async (folder, options) => (await import("./commands/keygen.ts")).keygenCommand(folder, options));

  program
    .command("permit")
    .description("let gateways that have had a newer release take this package all the same")
    .argument("<package>", "folder of the package")
    .requiredOption("--key <file.key>", "private key of a pair with the role release that the gateways trust")
    .option("-o, --output <dir>", "folder for permit.json and permit.json.sig; default: the package's")
    .option("--json", "print as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  dualroot permit out/demo-2026.10 --key keys/release.key\n  dualroot permit out/demo-2026.10 --key keys/release.key -o permits",
    )
    .action(async (folder, options) => (await import("./commands/permit.ts")).permitCommand(folder, options));

  program.addCommand(smokeCommandLine());
  program.addCommand(helperCommandLine());
  return program;
}
