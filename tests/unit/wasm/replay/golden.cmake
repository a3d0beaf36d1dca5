# RUN (a list) on STREAM must print exactly BEACONS.
execute_process(COMMAND ${RUN} INPUT_FILE ${STREAM} OUTPUT_FILE ${OUTPUT} RESULT_VARIABLE _status)
if(NOT _status EQUAL 0)
  message(FATAL_ERROR "${RUN}: ${_status}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${OUTPUT} ${BEACONS} RESULT_VARIABLE _differs)
if(_differs)
  message(FATAL_ERROR "${OUTPUT} differs from ${BEACONS}")
endif()
