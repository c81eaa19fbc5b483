/// Graphs as a user of LVA writes them.
package enum GraphTexts {
    private static let source = """
        {"@type":"#Microsoft.Media.MediaGraphRtspSource","name":"rtspSource","endpoint":{
        "@type":"#Microsoft.Media.MediaGraphUnsecuredEndpoint","url":"${rtspUrl}","credentials":{
        "@type":"#Microsoft.Media.MediaGraphUsernamePasswordCredentials",
        "username":"${rtspUserName}","password":"${rtspPassword}"}}}
        """
    private static let parameters = """
        {"name":"rtspUrl","type":"String"},{"name":"rtspUserName","type":"String","default":"viewer"},
        {"name":"rtspPassword","type":"SecretString","default":"dummyPassword"}
        """

    package static let continuous = """
        {"@apiVersion":"1.0","name":"CVRToAMSAsset","properties":{"description":"Continuous video recording",
        "parameters":[\(parameters)],"sources":[\(source)],"sinks":[
        {"@type":"#Microsoft.Media.MediaGraphAssetSink","name":"assetSink","inputs":[{"nodeName":"rtspSource"}],
        "assetNamePattern":"asset-${System.GraphTopologyName}-${System.GraphInstanceName}","segmentLength":"PT0M30S",
        "localMediaCacheMaximumSizeMiB":"2048","localMediaCachePath":"/var/lib/azuremediaservices/tmp/"}]}}
        """

    /// `minimum` and `maximum`: how long an event keeps the gate open; messages leave by `output`, if one is named.
    package static func gated(
        directory: String, minimum: String = "PT2S", maximum: String = "PT4S", output: String? = nil
    ) -> String {
        let messages =
            output.map {
                """
                ,{"@type":"#Microsoft.Media.MediaGraphIoTHubMessageSink","name":"hubSink",
                "inputs":[{"nodeName":"gate"}],"hubOutputName":"\($0)"}
                """
            } ?? ""
        return """
            {"@apiVersion":"2.0","name":"EVR","properties":{"parameters":[\(parameters)],"sources":[\(source),
            {"@type":"#Microsoft.Media.MediaGraphIoTHubMessageSource","name":"hub","hubInputName":"recordingTrigger"}],
            "processors":[{"@type":"#Microsoft.Media.MediaGraphSignalGateProcessor","name":"gate",
            "inputs":[{"nodeName":"hub"},{"nodeName":"rtspSource"}],"activationEvaluationWindow":"PT0S",
            "activationSignalOffset":"-PT1S","minimumActivationTime":"\(minimum)","maximumActivationTime":"\(maximum)"}],"sinks":[
            {"@type":"#Microsoft.Media.MediaGraphFileSink","name":"fileSink","inputs":[{"nodeName":"gate"}],
            "baseDirectoryPath":"\(directory)","fileNamePattern":"clip-${System.DateTime}","maximumSizeMiB":"512"},
            {"@type":"#Microsoft.Media.MediaGraphAssetSink","name":"assetSink","inputs":[{"nodeName":"gate"}],
            "assetNamePattern":"evr-${System.DateTime}","localMediaCachePath":"/var/lib/azuremediaservices/tmp/",
            "localMediaCacheMaximumSizeMiB":"200"}\(messages)]}}
            """
    }

    package static func instance(_ name: String, of topology: String, url: String, password: String? = nil) -> String {
        let secret = password.map { #",{"name":"rtspPassword","value":"\#($0)"}"# } ?? ""
        return """
            {"@apiVersion":"2.0","name":"\(name)","properties":{"topologyName":"\(topology)",
            "parameters":[{"name":"rtspUrl","value":"\(url)"}\(secret)]}}
            """
    }
}
