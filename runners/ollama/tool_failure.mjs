// What a tool says to the model when it could not do what was asked: an answer like any other, not an error of the runner.

export class ToolFailure extends Error {}
