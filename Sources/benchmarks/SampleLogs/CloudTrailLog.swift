/// `cloudtrail.json`: what CloudTrail delivered for the account in that night, one object with a
/// `Records` array, all on one line.
enum CloudTrailLog {
  static func text() -> String {
    var random = SampleRandom(seed: 3)
    var calls = background(&random) + cleanup() + denials()
    calls.sort { $0.time < $1.time }
    let records = calls.map { record($0, &random) }
    return "{\"Records\":[\(records.joined(separator: ","))]}\n"
  }

  private struct Call {
    var time: Int
    var event: String
    var service: String
    var identity: String
    var address: String
    var parameters: String
    var error: String?
    var readOnly = true
  }

  private static let maria = user("maria.keller")

  private static func background(_ random: inout SampleRandom) -> [Call] {
    let start = SampleText.time(2026, 3, 13, 20, 0)
    let ordinary: [(String, String, String)] = [
      ("DescribeInstances", "ec2", "\"instancesSet\":{},\"filterSet\":{}"),
      ("GetObject", "s3", "\"bucketName\":\"shop-assets\",\"key\":\"images/käse-fondue.jpg\""),
      ("PutObject", "s3", "\"bucketName\":\"shop-raw-orders\",\"key\":\"2026/03/13/part.json.gz\""),
      ("AssumeRole", "sts", "\"roleSessionName\":\"checkout\",\"durationSeconds\":3600"),
      ("Decrypt", "kms", "\"encryptionAlgorithm\":\"SYMMETRIC_DEFAULT\""),
      ("ListBuckets", "s3", ""),
    ]
    return (0..<70).map { index in
      let (event, service, parameters) = random.pick(ordinary)
      let identity = random.pick([user("deploy-bot"), role("checkout", "i-0ab12"), maria])
      let denied = event == "ListBuckets" && random.chance(percent: 40)
      return Call(
        time: start + index * 410_000 + random.below(400_000), event: event, service: service,
        identity: identity, address: "203.0.113.\(random.number(10...40))", parameters: parameters,
        error: denied ? "AccessDenied" : nil, readOnly: event != "PutObject")
    }
  }

  /// 02:36 to 02:43: somebody tidies up policies that look unused, with the best of intentions.
  private static func cleanup() -> [Call] {
    let steps: [(minute: Int, second: Int, event: String, role: String, policy: String?)] = [
      (36, 12, "ListRoles", "", nil),
      (38, 2, "ListRolePolicies", "lambda-legacy-export", nil),
      (38, 44, "DeleteRolePolicy", "lambda-legacy-export", "write-ftp-drop"),
      (40, 19, "ListRolePolicies", "glue-orders-nightly", nil),
      (40, 51, "GetRolePolicy", "glue-orders-nightly", "read-raw-orders"),
      (41, 7, "DeleteRolePolicy", "glue-orders-nightly", "read-raw-orders"),
      (42, 58, "ListRolePolicies", "states-orders-nightly", nil),
    ]
    return steps.map { step in
      var parameters = step.role.isEmpty ? "" : "\"roleName\":\"\(step.role)\""
      if let policy = step.policy { parameters += ",\"policyName\":\"\(policy)\"" }
      return Call(
        time: SampleText.time(2026, 3, 14, 2, step.minute, step.second), event: step.event,
        service: "iam", identity: maria, address: "198.51.100.23", parameters: parameters,
        readOnly: !step.event.hasPrefix("Delete"))
    }
  }

  /// 03:04: the Glue job's four tries to read the raw orders.
  private static func denials() -> [Call] {
    [6, 10, 18, 34].map { second in
      Call(
        time: SampleText.time(2026, 3, 14, 3, 4, second), event: "GetObject", service: "s3",
        identity: role("glue-orders-nightly", "GlueJobRunnerSession"),
        address: "glue.amazonaws.com",
        parameters: "\"bucketName\":\"shop-raw-orders\",\"key\":\"2026/03/13/part-0000.json.gz\"",
        error: "AccessDenied")
    }
  }

  private static func record(_ call: Call, _ random: inout SampleRandom) -> String {
    var text = "{\"eventVersion\":\"1.11\",\"userIdentity\":\(call.identity),"
    text += "\"eventTime\":\"\(SampleText.iso(call.time, milliseconds: false))\","
    text += "\"eventSource\":\"\(call.service).amazonaws.com\",\"eventName\":\"\(call.event)\","
    text += "\"awsRegion\":\"\(SampleText.region)\",\"sourceIPAddress\":\"\(call.address)\","
    text += "\"userAgent\":\"aws-cli/2.27.1\","
    if let error = call.error {
      text += "\"errorCode\":\"\(error)\",\"errorMessage\":\"Access Denied\","
    }
    text += "\"requestParameters\":"
    text += call.parameters.isEmpty ? "null," : "{\(call.parameters)},"
    text += "\"responseElements\":null,\"requestID\":\"\(random.uuid())\","
    text += "\"eventID\":\"\(random.uuid())\",\"readOnly\":\(call.readOnly),"
    text += "\"eventType\":\"AwsApiCall\",\"managementEvent\":\(call.service != "s3"),"
    return text + "\"recipientAccountId\":\"\(SampleText.account)\"}"
  }

  private static func user(_ name: String) -> String {
    "{\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::\(SampleText.account):user/\(name)\","
      + "\"accountId\":\"\(SampleText.account)\",\"userName\":\"\(name)\"}"
  }

  private static func role(_ name: String, _ session: String) -> String {
    "{\"type\":\"AssumedRole\","
      + "\"arn\":\"arn:aws:sts::\(SampleText.account):assumed-role/\(name)/\(session)\","
      + "\"accountId\":\"\(SampleText.account)\",\"sessionContext\":{\"sessionIssuer\":"
      + "{\"type\":\"Role\",\"userName\":\"\(name)\"}}}"
  }
}
