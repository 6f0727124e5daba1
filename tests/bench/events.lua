-- SPDX-License-Identifier: Apache-2.0
-- For wrk: authentic batches of one Sitoo order event each, none twice. Arguments: the run's name (8 hex digits), the
-- credentials in base64. Prints one line of JSON at the end.
local run, number

function init(args)
    run = args[1]
    number = 0
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Authorization"] = "Basic " .. args[2]
end

function request()
    number = number + 1
    return wrk.format(nil, nil, nil, string.format(
        '[{"event_id":"%s%024x","event_type":"order","event_date":%d,"account_id":1500,'
        .. '"data":{"eshop_id":1,"order_id":%d,"order_event_type":"add","warehouse_id":1,'
        .. '"order_state_changed":"closed"}}]',
        run, number, os.time(), 100000 + number))
end

function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format(
        '{"requests":%d,"seconds":%.6f,"bad_status":%d,"socket_errors":%d,'
        .. '"p50_ms":%.3f,"p99_ms":%.3f,"worst_ms":%.3f}\n',
        summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
