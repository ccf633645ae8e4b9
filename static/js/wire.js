// Generated from server/sinks/live/messages.py by server/web/wirejs.py. Do not edit.

/** What a reader of one row's values should know. 0 is a plain sample. */
export const Quality = Object.freeze({
  PLAIN: 0,
  LATE: 1,
  RESET: 2,
  INVALID: 4,
  WRAPPED: 8,
  ESTIMATED: 16,
  OVER_SPEED: 32,
});

/**
 * Ask for a device's interfaces, for the summary of all devices, or for events.
 *
 * `id` is the browser's own number. `interfaces` is a list of names or "*". `metrics` narrows the columns. `history_s` is
 * how much of the past the snapshot brings. `epoch` and `since_seq` resume after a reconnect. `burst_s` above 0 asks for
 * these interfaces every so many seconds, in a stream of its own. `filter`, `sort`, `descending`, `offset` and `limit`
 * choose the rows of a summary.
 * @typedef {object} Subscribe
 * @property {"subscribe"} type
 * @property {number} id
 * @property {string} [device]
 * @property {string[]|"*"} [interfaces]
 * @property {string[]} [metrics]
 * @property {number} [history_s]
 * @property {string} [epoch]
 * @property {number} [since_seq]
 * @property {number} [burst_s]
 * @property {boolean} [summary]
 * @property {boolean} [events]
 * @property {string} [filter]
 * @property {string} [show]
 * @property {string} [only_device]
 * @property {string} [sort]
 * @property {boolean} [descending]
 * @property {number} [offset]
 * @property {number} [limit]
 */

/**
 * @typedef {object} Unsubscribe
 * @property {"unsubscribe"} type
 * @property {number} id
 */

/**
 * What a row is. `speed_bps` 0 is unknown; a status null is unknown.
 *
 * `cadence_s` is how often the device refreshes the counters of this row; null where they are as new as the polls.
 * @typedef {object} InterfaceFacts
 * @property {string} name
 * @property {string} alias
 * @property {string} description
 * @property {string} role
 * @property {string} circuit
 * @property {string} kind
 * @property {number} index
 * @property {number} speed_bps
 * @property {string|null} admin_status
 * @property {string|null} oper_status
 * @property {boolean} ambiguous
 * @property {number|null} cadence_s
 */

/**
 * @typedef {object} Hello
 * @property {"hello"} type
 * @property {number} protocol
 * @property {string} epoch
 * @property {number} server_time
 * @property {number} interval_s
 * @property {string} version
 */

/**
 * The past of a subscription. `values` is metrics x interfaces x times. `resumed`: only what came after `since_seq`.
 *
 * `not_due` lists for each metric the positions in `times` at which it was not asked for: a null there is no gap.
 * @typedef {object} Snapshot
 * @property {"snapshot"} type
 * @property {number} id
 * @property {number} seq
 * @property {string} device
 * @property {string[]} metrics
 * @property {InterfaceFacts[]} interfaces
 * @property {number[]} times
 * @property {(number|null)[][][]} values
 * @property {number[][]} not_due
 * @property {number} interval_s
 * @property {boolean} resumed
 */

/**
 * One tick: `values` is metrics x interfaces in the order of the snapshot; `quality` a bit set per interface.
 *
 * A metric that was not due in this tick has an empty list. `rowsets.py` writes these, in the same order of fields.
 * @typedef {object} Samples
 * @property {"samples"} type
 * @property {number} id
 * @property {number} seq
 * @property {number} time
 * @property {number} span_s
 * @property {(number|null)[][]} values
 * @property {number[]} quality
 */

/**
 * The facts of the subscribed interfaces changed; same order as the snapshot. Rows that are gone keep their place.
 * @typedef {object} TableChanged
 * @property {"table"} type
 * @property {number} id
 * @property {InterfaceFacts[]} interfaces
 */

/**
 * `missed` frames were not sent because this browser read too slowly. They are not gaps.
 * @typedef {object} Resync
 * @property {"resync"} type
 * @property {number} id
 * @property {number} missed
 */

/**
 * The state of a subscribed device. `last_sample` is when its newest sample came (null: none yet).
 *
 * `engine` is how it is polled, `engine_why` why not as it would be by itself (empty: it is).
 * @typedef {object} DeviceChanged
 * @property {"device"} type
 * @property {number} id
 * @property {string} device
 * @property {string} address
 * @property {string} state
 * @property {string} reason
 * @property {number} since
 * @property {number} interval_s
 * @property {number|null} cadence_s
 * @property {string} engine
 * @property {string} engine_why
 * @property {string} note
 * @property {Object<string, string>} facts
 * @property {number|null} last_sample
 */

/**
 * @typedef {object} EventBody
 * @property {number} time
 * @property {string} kind
 * @property {string} severity
 * @property {string} device
 * @property {string} interface
 * @property {string} text
 * @property {string} author
 */

/**
 * @typedef {object} EventMessage
 * @property {"event"} type
 * @property {number} id
 * @property {EventBody} event
 */

/**
 * All devices together. `in_bps` and `out_bps` sum the `counted` interfaces whose newest sample is not late; null
 * while one is late and not yet given up. `attention` counts the rows that the filter of that name shows.
 * @typedef {object} Totals
 * @property {number} time
 * @property {number|null} in_bps
 * @property {number|null} out_bps
 * @property {number} interfaces
 * @property {number} counted
 * @property {number} up
 * @property {number} down
 * @property {number} no_data
 * @property {number} attention
 * @property {number} devices
 * @property {number} devices_up
 * @property {number} devices_late
 * @property {number} devices_lost
 * @property {number|null} interval_s
 * @property {number|null} reply_p99_ms
 * @property {number|null} oldest_sample_s
 */

/**
 * One device of the summary. `ports` is one small number per interface, for the port map: -2 no data, -1 down,
 * else the utilisation in percent of the busier direction (0 to 100), 101 where the speed is unknown.
 * @typedef {object} DeviceLine
 * @property {string} name
 * @property {string} address
 * @property {string} state
 * @property {string} reason
 * @property {number} interfaces
 * @property {number|null} in_bps
 * @property {number|null} out_bps
 * @property {number} interval_s
 * @property {number|null} cadence_s
 * @property {number|null} reply_ms
 * @property {number|null} age_s
 * @property {number[]} ports
 */

/**
 * Why a row wants to be looked at. `level`: critical, warning, stale, down, or note.
 * @typedef {object} Attention
 * @property {string} level
 * @property {string} text
 */

/**
 * One interface of the summary, or a whole device that does not answer (`whole_device`).
 *
 * `spark_in` and `spark_out` are 60 means of 5 s, oldest first, sent when the row is new to this subscription and each time
 * a 5 s slot closes; absent otherwise.
 * @typedef {object} SummaryRow
 * @property {string} device
 * @property {string} name
 * @property {string} alias
 * @property {string} role
 * @property {string} circuit
 * @property {number} speed_bps
 * @property {string|null} oper_status
 * @property {number|null} in_bps
 * @property {number|null} out_bps
 * @property {number|null} in_percent
 * @property {number|null} out_percent
 * @property {number|null} age_s
 * @property {number} quality
 * @property {Attention|null} attention
 * @property {boolean} [whole_device]
 * @property {(number|null)[]|null} [spark_in]
 * @property {(number|null)[]|null} [spark_out]
 */

/**
 * A big change within 60 s in one direction (`in` or `out`).
 * @typedef {object} Mover
 * @property {string} device
 * @property {string} name
 * @property {string} direction
 * @property {number} was_bps
 * @property {number} now_bps
 */

/**
 * Totals of the past, oldest first.
 * @typedef {object} Trend
 * @property {number[]} times
 * @property {(number|null)[]} in_bps
 * @property {(number|null)[]} out_bps
 */

/**
 * All devices, once a second. `matched` rows pass the filter; `rows` are those from `offset` on. `trend` comes once.
 * @typedef {object} Summary
 * @property {"summary"} type
 * @property {number} id
 * @property {Totals} totals
 * @property {DeviceLine[]} devices
 * @property {SummaryRow[]} rows
 * @property {number} offset
 * @property {number} matched
 * @property {Mover[]} movers
 * @property {Trend|null} trend
 */

/**
 * @typedef {object} Heartbeat
 * @property {"heartbeat"} type
 * @property {number} server_time
 */

/**
 * What a browser's message did wrong. `id` is null where the message had none.
 * @typedef {object} Failure
 * @property {"error"} type
 * @property {number|null} id
 * @property {string} code
 * @property {string} message
 */

/** @typedef {Subscribe|Unsubscribe} ClientMessage */

/** @typedef {Hello|Snapshot|Samples|TableChanged|Resync|DeviceChanged|EventMessage|Summary|Heartbeat|Failure} ServerMessage */
