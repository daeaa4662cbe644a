/// Row numbers, ascending unless an operator says otherwise.
package typealias SelectionVector = [UInt32]
