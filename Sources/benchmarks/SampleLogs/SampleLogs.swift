/// The files of `SampleLogs/`: one bad night of a small web shop, the same bytes every time.
///
/// At 02:41 an engineer cleans up IAM policies and deletes one that looks unused. At 03:00 the
/// nightly pipeline starts; its Glue job may no longer read the raw orders and fails; the Step
/// Functions execution fails with it. At 03:30 the Lambda function that mails the morning report
/// waits in vain for the pipeline's result and times out, and the shop sells from yesterday's stock.
enum SampleLogs {
  /// Name and content of every file.
  static func files() -> [(name: String, text: String)] {
    [
      ("api.ndjson", APILog.text()),
      ("lambda.log", LambdaLog.text()),
      ("cloudtrail.json", CloudTrailLog.text()),
      ("vpcflow.log", FlowLog.text()),
      ("stepfunctions.ndjson", StepFunctionsLog.text()),
      ("glue.ndjson", GlueLog.text()),
    ]
  }

  /// The nights of the pipeline, by day of March 2026; the last one fails.
  static let nights = Array(8...14)
  static let badNight = 14

  /// One night's run of the Glue job, which Step Functions and Glue both tell of.
  struct GlueRun {
    let id: String
    /// Milliseconds since 1970.
    let start: Int
    let end: Int
  }

  static func glueRun(_ night: Int) -> GlueRun {
    var random = SampleRandom(seed: 0x61_7565 &+ UInt64(night))
    let id = "jr_" + random.hex(32)
    guard night != badNight else {
      return GlueRun(
        id: id, start: SampleText.time(2026, 3, night, 3, 3, 9),
        end: SampleText.time(2026, 3, night, 3, 4, 52))
    }
    let start = SampleText.time(2026, 3, night, 3, 1, random.number(5...40))
    return GlueRun(id: id, start: start, end: start + random.number(560...760) * 1_000)
  }

  /// Why the Glue job failed, in the words of AWS.
  static let denied =
    "An error occurred while calling o93.getDynamicFrame. User: "
    + "arn:aws:sts::\(SampleText.account):assumed-role/glue-orders-nightly/GlueJobRunnerSession "
    + "is not authorized to perform: s3:GetObject on resource: "
    + "\"arn:aws:s3:::shop-raw-orders/2026/03/13/part-0000.json.gz\" because no identity-based "
    + "policy allows the s3:GetObject action"
}
