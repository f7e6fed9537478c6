# Placeholder until the CUDA part lands.
function(alexnet_add_cuda target)
endfunction()
