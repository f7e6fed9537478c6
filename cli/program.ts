import type {Command} from 'commander';
import {addBench} from './commands/bench.ts';
import {addCheck} from './commands/check.ts';
import {addClassify} from './commands/classify.ts';
import {addDevices} from './commands/devices.ts';
import {addEvaluate} from './commands/evaluate.ts';
import {addExperiment} from './commands/experiment.ts';
import {addExport} from './commands/export.ts';
import {addFeatures} from './commands/features.ts';
import {addFigure} from './commands/figure.ts';
import {addFilters} from './commands/filters.ts';
import {addImport} from './commands/import.ts';
import {addMpi} from './commands/mpi.ts';
import {addNearest} from './commands/nearest.ts';
import {addPictures} from './commands/pictures.ts';
import {addPlan} from './commands/plan.ts';
import {addPrepare} from './commands/prepare.ts';
import {addPresets} from './commands/presets.ts';
import {addReport} from './commands/report.ts';
import {addSelftest} from './commands/selftest.ts';
import {addTrain} from './commands/train.ts';
import {createDoctorProgram} from './doctor-program.ts';

/** The command line. It throws a CommanderError where commander would end the process. */
export function createProgram(): Command {
	const program = createDoctorProgram();
	addDevices(program);
	addPresets(program);
	addPictures(program);
	addCheck(program);
	addPrepare(program);
	addTrain(program);
	addReport(program);
	addExperiment(program);
	addEvaluate(program);
	addClassify(program);
	addFilters(program);
	addFigure(program);
	addFeatures(program);
	addNearest(program);
	addExport(program);
	addImport(program);
	addBench(program);
	addPlan(program);
	addSelftest(program);
	addMpi(program);
	return program;
}
