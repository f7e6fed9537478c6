// What of the kernels has run: for the tests, which must leave nothing out.
#pragma once

namespace alexnet::simulator {

class Machine;

// Where ALEXNET_SIMULATED_COVERAGE names a folder, this process leaves a file there when it ends. A line for each kernel,
// "kernel NAME 1", and for each source line of those that were launched, "line FILE:LINE 1"; 0 for what never ran. A
// source line has several, one for each place it was compiled for.
void writeCoverageAtExit(Machine& machine);

}  // namespace alexnet::simulator
