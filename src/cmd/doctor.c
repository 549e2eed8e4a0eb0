/* tsprof doctor: what this machine allows, and what would allow more. */
#include "cmd/command.h"

#include <errno.h>

#include "base/buffer.h"
#include "cmd/doctor_output.h"
#include "export/table.h"
#include "os/machine_probes.h"
#include "os/machine_settings.h"
#include "record/machine_checks.h"
#include "record/machine_values.h"

struct doctor_options {
	bool as_json;
};

static const struct option doctor_options[] = {
	{ .name = "json",
	  .kind = OPTION_FLAG,
	  .help = "write JSON",
	  .offset = offsetof(struct doctor_options, as_json) },
	{ 0 },
};

static void doctor_write(struct buffer *out, const struct app *app, bool as_json,
			 const struct machine_checks *checks, const struct machine_values *values)
{
	struct buffer text = BUFFER_INIT;

	if (as_json) {
		doctor_output_json(out, checks, values);
		return;
	}
	doctor_output_text(&text, checks, values, app_columns(app));
	if (app_is_utf8())
		buffer_add(out, buffer_string(&text), text.size);
	else
		table_add_ascii(out, buffer_string(&text));
	if (text.is_failed)
		out->is_failed = true;
	buffer_release(&text);
}

static int doctor_run(struct app *app, int argc, char **argv)
{
	struct doctor_options options = { 0 };
	const int n_operands = options_parse(app, &command_doctor, &options, argc, argv, false);
	struct buffer out = BUFFER_INIT;
	struct error err = ERROR_INIT;
	struct machine_settings settings;
	struct machine_probes probes;
	struct machine_checks checks;
	struct machine_values values;
	int r = 0;

	if (n_operands == OPTIONS_HELP)
		return EXIT_OK;
	if (n_operands < 0)
		return EXIT_USAGE;
	if (n_operands > 0) {
		app_say(app, "doctor: takes no operands; see 'tsprof doctor -h'");
		return EXIT_USAGE;
	}
	machine_settings_read(&settings, &machine_source_own);
	machine_probes_run(&probes, MACHINE_USUAL_RATE_HZ);
	machine_checks_make(&checks, &settings, &probes);
	machine_values_make(&values, &settings, &probes);
	doctor_write(&out, app, options.as_json, &checks, &values);
	errno = 0;
	if (out.is_failed)
		r = error_set_no_memory(&err);
	else if (fwrite(buffer_string(&out), 1, out.size, app->out) != out.size ||
		 fflush(app->out) != 0)
		r = error_set_errno(&err, errno ? -errno : -EIO, "cannot write standard output");
	buffer_release(&out);
	if (r < 0)
		return app_fail(app, EXIT_FAILED, &err);
	return checks.engine ? EXIT_OK : EXIT_FAILED;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "tell what this machine allows and what would allow more",
	.operands = "",
	.details = "Tries what record needs, on tsprof itself, and says which engine record would\n"
		   "take.  Below each check that fails are the commands that would change it, one\n"
		   "a line behind \">\", the simplest first; they are never run.  The exit status\n"
		   "is 1 when record could not work at all.",
	.options = doctor_options,
	.run = doctor_run,
};
